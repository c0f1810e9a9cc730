#!/usr/bin/env python3
# monthly sales report generator. cron runs this, do not touch paths!!
import getpass, hashlib, html, os, sys, tempfile, time, datetime
import numpy as np, pandas as pd

T0 = time.time()
STORES = ["Berlin", "Lyon", "Porto", "Gdansk", "Graz", "Ghent"]
SKUS = ["SKU-%04d" % i for i in range(60)]


def step(msg):
    print("[%7.3fs] %s" % (time.time() - T0, msg), file=sys.stderr)


def fake_erp_dump(path, n=60000, seed=20240131):
    r = np.random.default_rng(seed)
    df = pd.DataFrame({
        "day": pd.Timestamp("2023-01-01") + pd.to_timedelta(r.integers(0, 365, n), unit="D"),
        "store": r.choice(STORES, n),
        "sku": r.choice(SKUS, n, p=r.dirichlet(np.ones(len(SKUS)))),
        "qty": r.poisson(3, n) + 1,
        "price": np.round(r.gamma(3., 7., n), 2),
    })
    bad = r.choice(n, 150, replace=False)
    df.loc[bad[:75], "price"] = np.nan
    df.loc[bad[75:], "store"] = "  " + df.loc[bad[75:], "store"].str.upper()
    df.to_csv(path, index=False)


def clean(df):
    seen = set(df["store"])
    print("raw store spellings:", seen)
    df["store"] = df["store"].str.strip().str.title()
    unknown = set(df["store"]) - set(STORES)
    if unknown:
        raise SystemExit("unknown stores %r" % unknown)
    med = df.groupby("sku")["price"].transform("median")
    df["price"] = df["price"].fillna(med)
    df["revenue"] = df["qty"] * df["price"]
    df["month"] = df["day"].dt.to_period("M").astype(str)
    return df


def trend(m):
    x = np.arange(len(m))
    return float(np.polyfit(x, m.values, 1)[0])


def render(tab, top, slopes, out):
    now = datetime.datetime.now()
    rows = "".join("<tr><td>%s</td>%s</tr>" % (html.escape(i), "".join("<td>%.2f</td>" % v for v in r))
                   for i, r in zip(tab.index, tab.values))
    doc = ("<html><head><title>sales</title></head><body><h1>Sales 2023</h1>"
           "<p>generated %s by %s (pid %d)</p><table>%s</table><pre>%s</pre><pre>%s</pre>"
           "<footer>took %.3f s</footer></body></html>" % (
               now.isoformat(), os.environ.get("USER", "cron"), os.getpid(), rows,
               top.to_string(), slopes, time.time() - T0))
    with open(out, "w") as f:
        f.write(doc)


def main():
    fd, tmp = tempfile.mkstemp(suffix=".csv", prefix="erp_")
    os.close(fd)
    try:
        fake_erp_dump(tmp)
        step("dumped %s (%d bytes)" % (tmp, os.path.getsize(tmp)))
        df = clean(pd.read_csv(tmp, parse_dates=["day"]))
    finally:
        os.unlink(tmp)
    step("cleaned %d rows" % len(df))

    tab = df.pivot_table(index="store", columns="month", values="revenue", aggfunc="sum")
    slopes = {s: trend(tab.loc[s]) for s in set(df["store"])}
    top = df.groupby("sku")["revenue"].sum().sort_values(ascending=False).head(8)
    step("aggregated")
    out = "sales_%s.html" % datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    render(tab, top, slopes, out)

    print("total revenue: %.2f" % df["revenue"].sum())
    for s in sorted(slopes):
        print("  %-8s %10.2f  slope %+8.3f / month" % (s, tab.loc[s].sum(), slopes[s]))
    print("digest:", hashlib.sha1(tab.round(2).to_csv().encode()).hexdigest()[:12])
    step("wrote " + out)


main()

# cause: none
