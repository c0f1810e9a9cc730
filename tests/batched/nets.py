"""Small networks of every kind that can be stacked, and data for them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

ROWS, CLASSES = 48, 3


class Mlp(nn.Module):
    """Article 1's network."""

    def __init__(self) -> None:
        super().__init__()
        self.hid1, self.hid2, self.out = nn.Linear(6, 10), nn.Linear(10, 10), nn.Linear(10, CLASSES)
        for layer in (self.hid1, self.hid2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.tanh(self.hid2(torch.tanh(self.hid1(x)))))


class Dropped(nn.Module):
    """Dropout of values, by module and by function, and of features."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(6, 12), nn.Linear(12, CLASSES)
        self.drop, self.alpha = nn.Dropout(0.3), nn.AlphaDropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.drop(torch.relu(self.first(x)))
        h = nn.functional.dropout2d(h.view(len(h), 3, 2, 2), 0.2, self.training).flatten(1)
        return self.out(self.alpha(nn.functional.dropout(h, 0.1, self.training)))


class Conv(nn.Module):
    """Convolution, batch norm, pooling, and a dropout that sees how a convolution lies in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 2), nn.GELU()
        )
        self.drop, self.out = nn.Dropout(0.2), nn.Linear(6 * 4, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.drop(self.body(x)).view(len(x), -1))


class Normed(nn.Module):
    """Layer norm and batch norm over features."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(6, 8), nn.LayerNorm(8), nn.SiLU(), nn.Linear(8, 7), nn.BatchNorm1d(7), nn.ReLU()
        )
        self.out = nn.Linear(7, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.body(x))


class Recurrent(nn.Module):
    """A recurrent layer, with whatever it is given."""

    def __init__(self, kind: Callable[..., nn.Module], **how: object) -> None:
        super().__init__()
        self.body = kind(4, 5, batch_first=True, **how)
        self.out = nn.Linear(5 * (1 + bool(how.get("bidirectional"))), CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.body(x)[0][:, -1])


class Words(nn.Module):
    """An embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.out = nn.Embedding(11, 6), nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.embedding(x).mean(1))


class Attention(nn.Module):
    """A transformer layer, whose attention and values are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
        self.out = nn.Linear(4, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.layer(x).mean(1))


@dataclass(frozen=True)
class Case:
    """A network and the shape of its inputs."""

    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    words: bool = False

    def data(self, double: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Rows that can be learned."""
        rng = np.random.default_rng(1)
        x = rng.integers(0, 11, (ROWS, *self.shape)) if self.words else rng.normal(size=(ROWS, *self.shape))
        y = rng.integers(0, CLASSES, ROWS)
        return (x if self.words else x.astype(np.float64 if double else np.float32)), y

    def model(self, double: bool = False) -> Callable[[], nn.Module]:
        """What makes the model."""
        return (lambda: self.make().double()) if double else self.make


CASES = [
    Case("linear", Mlp, (6,)),
    Case("dropout", Dropped, (6,)),
    Case("convolution", Conv, (1, 6, 6)),
    Case("norms", Normed, (6,)),
    Case("lstm", lambda: Recurrent(nn.LSTM), (5, 4)),
    Case("deep lstm", lambda: Recurrent(nn.LSTM, num_layers=2, bidirectional=True, dropout=0.2), (5, 4)),
    Case("lstm without bias", lambda: Recurrent(nn.LSTM, bias=False), (5, 4)),
    Case("gru", lambda: Recurrent(nn.GRU, num_layers=2), (5, 4)),
    Case("rnn", lambda: Recurrent(nn.RNN, nonlinearity="relu"), (5, 4)),
    Case("embedding", Words, (7,), words=True),
    Case("attention", Attention, (5, 4)),
]
BY_NAME = {case.name: case for case in CASES}
