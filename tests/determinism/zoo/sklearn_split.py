# cause: unseeded generator
import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
model = SGDClassifier(max_iter=3, tol=None)
model.fit(x[:300], y[:300])  # HERE
print("acc =", model.score(x[300:600], y[300:600]), model.coef_.sum())
