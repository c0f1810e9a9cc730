"""Next year's sunspots from the last eleven years: a small network, 1700 to 1949 to learn from, 1950 to 2008 to be tested on."""

import numpy as np
import statsmodels.api as sm
import torch
from torch import nn

import seedwise as sw

WINDOW, FIRST_TEST_YEAR = 11, 1950
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
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(1, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.lstm(x[..., None])[0][:, -1])


def build(net="mlp", init="xavier", norm=False):
    """A network: 11-32-32-1 with ReLU, with batch norm if asked for; or an LSTM of 16."""
    if net == "lstm":
        model = Lstm()
    else:
        hidden = [[nn.Linear(a, 32), *([nn.BatchNorm1d(32)] if norm else []), nn.ReLU()] for a in (WINDOW, 32)]
        model = nn.Sequential(*hidden[0], *hidden[1], nn.Linear(32, 1))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            STARTS[init](parameter)
        elif "bias" in name:
            nn.init.zeros_(parameter)
    return model


def data():
    """Windows of eleven years and the year after each, in units of the SD of the years to learn from."""
    table = sm.datasets.sunspots.load_pandas().data
    years, spots = table["YEAR"].to_numpy(), table["SUNACTIVITY"].to_numpy()
    known = spots[years < FIRST_TEST_YEAR]
    z = ((spots - known.mean()) / known.std()).astype(np.float32)
    x = np.lib.stride_tricks.sliding_window_view(z, WINDOW)[:-1].copy()
    y, year = z[WINDOW:, None], years[WINDOW:]
    learn = year < FIRST_TEST_YEAR
    return [torch.from_numpy(part) for part in (x[learn], y[learn], x[~learn], y[~learn])]


def train(seed, net="mlp", init="xavier", optimizer="adam", norm=False, epochs=40):
    torch.manual_seed(seed)
    x, y, test_x, test_y = data()
    model = build(net, init, norm)
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
