#!/usr/bin/env python
# Grid search + report. Writes results.csv, report.html and model.joblib
import html
import time
from datetime import datetime
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.datasets import load_wine
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import classification_report, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

SEED = 1234
OUT = Path("report")

TEMPLATE = """<html><head><title>Wine report</title></head><body>
<h1>Model report</h1>
<p>Generated on {date} in {secs:.1f} seconds (scikit-learn {ver})</p>
<pre>{body}</pre>
{table}
<footer>&copy; {year} analytics team</footer>
</body></html>
"""


def load():
    bunch = load_wine(as_frame=True)
    df = bunch.frame
    # some missing values like in the real table
    rng = np.random.default_rng(SEED)
    mask = rng.random(df.shape) < 0.03
    mask[:, -1] = False
    df = df.mask(mask)
    df = df.fillna(df.median(numeric_only=True))
    return df.drop(columns="target"), df["target"].astype(int)


def build_search():
    pipe = Pipeline([("scale", StandardScaler()), ("clf", ExtraTreesClassifier(random_state=SEED))])
    grid = {"clf__n_estimators": [20, 40], "clf__max_depth": [3, None], "clf__min_samples_leaf": [1, 3]}
    cv = StratifiedKFold(n_splits=3, shuffle=True, random_state=SEED)
    return GridSearchCV(pipe, grid, cv=cv, scoring="neg_log_loss", refit=True, verbose=3)


def main():
    OUT.mkdir(exist_ok=True)
    t_start = time.monotonic()
    X, y = load()
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=SEED)

    gs = build_search()
    gs.fit(X_tr, y_tr)

    res = pd.DataFrame(gs.cv_results_)
    res = res.sort_values(["rank_test_score", "param_clf__n_estimators"], kind="stable")
    res.to_csv(OUT / "results.csv", index=False)  # has mean_fit_time, std_fit_time ...

    proba = gs.predict_proba(X_te)
    text = classification_report(y_te, gs.predict(X_te), digits=4)
    ll = log_loss(y_te, proba)

    joblib.dump(
        {"model": gs.best_estimator_, "trained": datetime.utcnow(), "fit_time": gs.refit_time_}, OUT / "model.joblib"
    )
    now = datetime.now()
    cols = ["params", "mean_test_score", "mean_fit_time", "rank_test_score"]
    (OUT / "report.html").write_text(
        TEMPLATE.format(
            date=now.strftime("%A, %d %B %Y at %H:%M"),
            secs=time.monotonic() - t_start,
            ver=sklearn.__version__,
            body=html.escape(text),
            table=res[cols].to_html(),
            year=now.year,
        )
    )

    print(text)
    print("best params:", gs.best_params_)
    print("holdout log loss: %.6f" % ll)
    print("refit took %.3f ms" % (gs.refit_time_ * 1e3))


if __name__ == "__main__":
    main()

# cause: none
