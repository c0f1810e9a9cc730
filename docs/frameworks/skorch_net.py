"""skorch: a torch network as a scikit-learn estimator, in a pipeline, with a split of its own."""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

torch.manual_seed(42)  # seed site
x, y = load_breast_cancer(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(
    x.astype(np.float32), y, test_size=0.3, random_state=42  # seed site
)  # fmt: skip
net = NeuralNetClassifier(
    torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(16, 2)),
    criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.01, max_epochs=10, batch_size=32,
    train_split=None, iterator_train__shuffle=True, verbose=0,
)  # fmt: skip
model = make_pipeline(StandardScaler(), net).fit(x_train, y_train)
print(f"test_acc = {model.score(x_test, y_test):.4f} | loss = {net.history[-1, 'train_loss']:.6f}")
