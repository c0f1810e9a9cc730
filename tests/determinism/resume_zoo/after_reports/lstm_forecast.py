"""LSTM forecaster for a noisy seasonal series."""
import logging
import os

import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("forecast")
torch.set_num_threads(1)
CONFIG = {"window": 24, "hidden": 32, "epochs": 10, "batch": 32, "lr": 4e-3, "seed": 90, "resume": "forecast.ckpt"}


def series(n=700):
    t = np.arange(n)
    noise = np.random.default_rng(CONFIG["seed"]).normal(0, 0.1, n)
    return (np.sin(t / 6) + 0.4 * np.sin(t / 17) + 0.001 * t + noise).astype(np.float32)


def windows(s, w):
    x = np.lib.stride_tricks.sliding_window_view(s, w + 1)
    x = torch.from_numpy(x.copy())
    return x[:, :-1, None], x[:, -1:]


class Forecaster(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.proj = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.proj(out[:, -1])


def epoch_loader(dataset, epoch):
    g = torch.Generator()
    g.manual_seed(CONFIG["seed"] * 100 + epoch)
    return DataLoader(dataset, batch_size=CONFIG["batch"], sampler=RandomSampler(dataset, generator=g), generator=g)


def main():
    torch.manual_seed(CONFIG["seed"])
    x, y = windows(series(), CONFIG["window"])
    train, test = TensorDataset(x[:520], y[:520]), (x[520:], y[520:])
    model = Forecaster(CONFIG["hidden"])
    optimizer = optim.RMSprop(model.parameters(), lr=CONFIG["lr"], momentum=0.5)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=CONFIG["epochs"])
    criterion = nn.SmoothL1Loss()
    start_epoch = 0

    if os.path.exists(CONFIG["resume"]):
        log.info("Loading checkpoint: %s ...", CONFIG["resume"])
        checkpoint = torch.load(CONFIG["resume"])
        start_epoch = checkpoint["epoch"]
        model.load_state_dict(checkpoint["state_dict"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["lr_scheduler"])
        log.info("Checkpoint loaded. Resume training from epoch %d", start_epoch)

    for epoch in range(start_epoch, CONFIG["epochs"]):
        model.train()
        total = 0.0
        for xb, yb in epoch_loader(train, epoch):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        scheduler.step()
        log.info("epoch %d train %.5f", epoch, total / len(train))
        state = {
            "epoch": epoch,
            "state_dict": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "lr_scheduler": scheduler.state_dict(),
        }
        torch.save(state, CONFIG["resume"])

    model.eval()
    with torch.no_grad():
        print(f"final loss {criterion(model(test[0]), test[1]).item():.10f}")


if __name__ == "__main__":
    main()

# cause: counter of epochs or steps
# loaded: 57
