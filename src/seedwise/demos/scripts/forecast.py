# Next year's sunspots from those of the last eleven years: a small network, or a small LSTM.
from pathlib import Path

import numpy as np
import torch
from torch import nn

import seedwise as sw

WINDOW, FIRST_TEST_YEAR, FOLDS = 11, 1950, 5
STARTS = {
    "zeros": nn.init.zeros_,
    "small": lambda w: nn.init.normal_(w, 0, 0.001),
    "large": lambda w: nn.init.normal_(w, 0, 2),
    "xavier": nn.init.xavier_uniform_,
    "he": nn.init.kaiming_normal_,
}
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.003),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
}


class Lstm(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.lstm, self.dropout, self.out = nn.LSTM(1, 16, batch_first=True), nn.Dropout(dropout), nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.dropout(self.lstm(x[..., None])[0][:, -1]))


def build(net="mlp", init="xavier", norm=False, dropout=0.0):
    """A network: 11-32-32-1 with ReLU, with batch norm if asked for; or an LSTM of 16."""
    if net == "lstm":
        model = Lstm(dropout)
    else:
        layers = []
        for inputs in (WINDOW, 32):
            layers += [nn.Linear(inputs, 32), *([nn.BatchNorm1d(32)] if norm else []), nn.ReLU(), nn.Dropout(dropout)]
        model = nn.Sequential(*layers, nn.Linear(32, 1))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            STARTS[init](parameter)
        elif "bias" in name:
            nn.init.zeros_(parameter)
    return model


def data(fold=None):
    """Windows of eleven years and the year after each: to learn from and to be tested on, in SDs of the years that are not tested.

    The test is on 1950 to 2008; in cross-validation on one fifth of all years.
    """
    years, spots = np.loadtxt(Path(__file__).with_name("sunspots.csv"), delimiter=",", skiprows=2).T
    year = years[WINDOW:]
    if fold is None:
        test = year >= FIRST_TEST_YEAR
    else:
        test = np.arange(len(year)) * FOLDS // len(year) == fold
    known = np.append(spots[:WINDOW], spots[WINDOW:][~test])
    z = ((spots - known.mean()) / known.std()).astype(np.float32)
    x = np.lib.stride_tricks.sliding_window_view(z, WINDOW)[:-1].copy()
    y = z[WINDOW:, None]
    return [torch.from_numpy(part) for part in (x[~test], y[~test], x[test], y[test])]


def train(seed, net="mlp", init="xavier", optimizer="adam", norm=False, dropout=0.0, epochs=40, fold=None):
    torch.manual_seed(seed)
    x, y, test_x, test_y = data(fold)
    model = build(net, init, norm, dropout)
    step = OPTIMIZERS[optimizer](model.parameters())
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(32):
            step.zero_grad()
            nn.functional.mse_loss(model(x[batch]), y[batch]).backward()
            step.step()
    model.eval()
    with torch.no_grad():
        predicted = model(test_x)
    rmse = float(((predicted - test_y) ** 2).mean() ** 0.5)
    return {"test_rmse": rmse, "forecast": sw.Predictions(predicted[:, 0], targets=test_y[:, 0])}


def all_folds(seed, net="mlp", epochs=40):
    """Cross-validation: five networks, each tested on a fifth of the years that it has not seen."""
    errors = [train(seed, net=net, epochs=epochs, fold=fold)["test_rmse"] for fold in range(FOLDS)]
    return {"mean_rmse": sum(errors) / FOLDS, "fold_rmse": errors}
