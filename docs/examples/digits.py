"""A small network on handwritten digits: python digits.py HIDDEN. Prints its accuracy on test data."""

import sys
import warnings

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.5, random_state=0)
net = MLPClassifier((int(sys.argv[1]),), learning_rate_init=0.01, max_iter=30, random_state=1)
net.fit(X_train, y_train)
print(f"test accuracy = {net.score(X_test, y_test):.4f}")
