"""Clustering job with a /metrics endpoint (prometheus text format) in a daemon thread."""

import http.server
import json
import os
import threading
import time
import urllib.request
from datetime import datetime, timezone

import numpy as np


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.values = {"iteration": 0, "inertia": float("nan")}
        self.started = time.time()
        self.scrapes = 0

    def update(self, **kw):
        with self.lock:
            self.values.update(kw)

    def render(self):
        with self.lock:
            self.scrapes += 1
            lines = [f"kmeans_{k} {v}" for k, v in sorted(self.values.items())]
        lines.append(f"process_uptime_seconds {time.time() - self.started:.3f}")
        lines.append(f"process_pid {os.getpid()}")
        return "\n".join(lines) + "\n"


def serve(state):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = state.render().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, fmt, *args):
            pass

    srv = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=srv.serve_forever, daemon=True).start()
    return srv


def scraper(url, stop):
    while not stop.wait(0.1):
        with urllib.request.urlopen(url, timeout=2) as r:
            txt = r.read().decode()
        print("scrape", datetime.now(timezone.utc).isoformat(timespec="milliseconds"), txt.split("\n")[0], flush=True)


def kmeans(x, k, rng, state, iters=40):
    centers = x[rng.choice(len(x), k, replace=False)]
    prev = np.inf
    for it in range(iters):
        d = ((x[:, None, :] - centers[None]) ** 2).sum(-1)
        lab = d.argmin(1)
        inertia = float(d.min(1).sum())
        for j in range(k):
            if (lab == j).any():
                centers[j] = x[lab == j].mean(0)
        state.update(iteration=it, inertia=inertia)
        time.sleep(0.02)
        if prev - inertia < 1e-9:
            break
        prev = inertia
    return centers, lab, inertia, it


def main():
    rng = np.random.default_rng(314)
    x = np.concatenate([rng.normal(m, 0.9, (300, 5)) for m in rng.uniform(-4, 4, (7, 5))])
    state = State()
    srv = serve(state)
    port = srv.server_address[1]
    print(f"serving metrics on http://127.0.0.1:{port}/metrics")
    stop = threading.Event()
    th = threading.Thread(target=scraper, args=(f"http://127.0.0.1:{port}/metrics", stop))
    th.start()
    best = None
    for restart in range(4):
        c, lab, inertia, it = kmeans(x, 7, rng, state)
        print(f"restart {restart}: inertia={inertia:.4f} after {it} iterations", flush=True)
        if best is None or inertia < best[0]:
            best = (inertia, c, lab)
    stop.set()
    th.join()
    srv.shutdown()
    order = np.lexsort(best[1].T)
    np.savetxt("centers.txt", best[1][order], fmt="%.8f")
    with open("status.json", "w") as f:
        json.dump(
            {
                "inertia": best[0],
                "sizes": np.bincount(best[2], minlength=7)[order].tolist(),
                "uptime": time.time() - state.started,
                "scrapes": state.scrapes,
                "port": port,
            },
            f,
        )
    print("best inertia", round(best[0], 6))


if __name__ == "__main__":
    main()

# cause: none
