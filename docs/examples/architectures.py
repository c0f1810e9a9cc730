"""Handwritten digits, 500 to learn from, by a network of one of three kinds: python architectures.py mlp|cnn|transformer."""

import sys

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)


class Attention(nn.Module):
    """A transformer that reads an image as eight rows of eight pixels."""

    def __init__(self, width=32):
        super().__init__()
        self.enter = nn.Linear(8, width)
        self.place = nn.Parameter(torch.randn(8, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.1, batch_first=True)
        self.encode = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.leave = nn.Linear(width, 10)

    def forward(self, x):
        return self.leave(self.encode(self.enter(x.view(-1, 8, 8)) + self.place).mean(1))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(32 * 4, 10),
        )

    def forward(self, x):
        return self.layers(x.view(-1, 1, 8, 8))


def dense():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))


X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=500, random_state=0)
X_train, X_test = (torch.tensor(part, dtype=torch.float32) for part in (X_train, X_test))
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
net = {"mlp": dense, "cnn": Convolutions, "transformer": Attention}[sys.argv[1]]()
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
for _ in range(30):
    net.train()
    for batch in torch.randperm(len(y_train)).split(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X_train[batch]), y_train[batch]).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    print(f"test accuracy = {(net(X_test).argmax(1) == y_test).float().mean():.4f}")
