"""Training with mixup, averaged weights and a cosine schedule."""
import copy
import math
import os
import re

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.set_num_threads(1)


class CosineScheduler:
    """timm-like: the value depends on the epoch (or the update) handed in."""

    def __init__(self, optimizer, base, t_initial, warmup_t=1, lr_min=1e-4):
        self.optimizer, self.base, self.t, self.warm, self.lr_min = optimizer, base, t_initial, warmup_t, lr_min

    def step_update(self, updates, per_epoch):
        e = updates / per_epoch
        if e < self.warm:
            lr = self.base * e / self.warm
        else:
            lr = self.lr_min + 0.5 * (self.base - self.lr_min) * (1 + math.cos(math.pi * e / self.t))
        for group in self.optimizer.param_groups:
            group["lr"] = lr


def mixup(x, y, rng, alpha=0.2):
    lam = rng.beta(alpha, alpha)
    perm = rng.permutation(len(x))
    target = F.one_hot(y, 10).float()
    return lam * x + (1 - lam) * x[perm], lam * target + (1 - lam) * target[perm]


def newest(folder):
    os.makedirs(folder, exist_ok=True)
    epochs = [int(m.group(1)) for m in (re.match(r"checkpoint-(\d+)\.pth$", f) for f in os.listdir(folder)) if m]
    return os.path.join(folder, f"checkpoint-{max(epochs)}.pth") if epochs else None


def save(folder, state):
    tmp = os.path.join(folder, "tmp.pth")
    torch.save(state, tmp)
    os.replace(tmp, os.path.join(folder, f"checkpoint-{state['epoch']}.pth"))


def main(epochs=10, batch=50, decay=0.99):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    d = load_digits()
    x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
    xt, yt, xv, yv = x[:1500], y[:1500], x[1500:], y[1500:]
    model = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10))
    ema = copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
    scheduler, start, updates = CosineScheduler(optimizer, 5e-3, epochs), 0, 0
    if newest("out"):
        ck = torch.load(newest("out"), weights_only=False)
        model.load_state_dict(ck["state_dict"])
        ema.load_state_dict(ck["state_dict_ema"])
        optimizer.load_state_dict(ck["optimizer"])
        rng.bit_generator.state = ck["numpy_generator"]
        torch.set_rng_state(ck["torch_rng"])
        start, updates = ck["epoch"] + 1, ck["num_updates"]
    for epoch in range(start, epochs):
        model.train()
        for idx in torch.from_numpy(rng.permutation(len(xt))).split(batch):
            scheduler.step_update(updates, len(xt) // batch)
            xb, yb = mixup(xt[idx], yt[idx], rng)
            loss = F.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
            with torch.no_grad():
                for e, m in zip(ema.state_dict().values(), model.state_dict().values()):
                    e.copy_(decay * e + (1 - decay) * m) if e.is_floating_point() else e.copy_(m)
        save("out", {"epoch": epoch, "num_updates": updates, "state_dict": model.state_dict(),
                     "state_dict_ema": ema.state_dict(), "optimizer": optimizer.state_dict(),
                     "numpy_generator": rng.bit_generator.state, "torch_rng": torch.get_rng_state()})
    with torch.no_grad():
        print(f"final loss {F.cross_entropy(ema(xv), yv).item():.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 62
