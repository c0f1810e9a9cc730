"""scikit-learn with random_state typed in three places: the split, the reduction and the network."""

from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16, y, random_state=42)  # seed site
model = make_pipeline(
    PCA(20, svd_solver="randomized", random_state=42),  # seed site
    MLPClassifier((32,), max_iter=15, random_state=42),  # seed site
)
import warnings

warnings.simplefilter("ignore")
model.fit(x_train, y_train)
print(f"train_acc = {model.score(x_train, y_train):.4f} | test_acc = {model.score(x_test, y_test):.4f}")
