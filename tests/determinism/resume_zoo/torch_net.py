import copy
import os
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Stopper:
    def __init__(self):
        self.best, self.bad = 1e9, 0

    def step(self, loss):
        self.bad = 0 if loss < self.best else self.bad + 1
        self.best = min(loss, self.best)
        return self.bad >= 30


torch.manual_seed(0)
random.seed(0)
X = torch.randn(48, 8)
y = X[:, :2] * 2
net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.1), nn.Linear(8, 2))
ema = copy.deepcopy(net)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 8)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=5)
stopper = Stopper()
order = torch.Generator().manual_seed(3)
loader = DataLoader(TensorDataset(X, y), batch_size=16, shuffle=True, generator=order)


def save(epoch):
    torch.save(
        {
            "net": net.state_dict(),
            "ema": ema.state_dict(),
            "opt": opt.state_dict(),
            "sched": sched.state_dict(),
            "scaler": scaler.state_dict(),
            "stopper": vars(stopper),
            "rng": torch.get_rng_state(),
            "order": order.get_state(),
            "random": random.getstate(),
            "epoch": epoch,
        },
        "last.pt",
    )


def load():
    ck = torch.load("last.pt", weights_only=False)
    net.load_state_dict(ck["net"])
    ema.load_state_dict(ck["ema"])
    opt.load_state_dict(ck["opt"])
    sched.load_state_dict(ck["sched"])
    scaler.load_state_dict(ck["scaler"])
    vars(stopper).update(ck["stopper"])
    torch.set_rng_state(ck["rng"])
    order.set_state(ck["order"])
    random.setstate(ck["random"])
    return ck["epoch"] + 1


first = load() if os.path.exists("last.pt") else 0
for epoch in range(first, 6):
    for xb, yb in loader:
        opt.zero_grad()
        loss = ((net(xb + 0.01 * random.random()) - yb) ** 2).mean()
        scaler.scale(loss).backward()
        scaler.step(opt)
        with torch.no_grad():
            for a, b in zip(ema.parameters(), net.parameters()):
                a.lerp_(b, 0.1)
        scaler.update()
    sched.step()
    if stopper.step(loss.item()):
        break
    net.eval()
    with torch.no_grad():
        score = ((net(X) - y) ** 2).mean().item(), ((ema(X) - y) ** 2).mean().item()
    net.train()
    save(epoch)
    print("epoch", epoch, "score", *score, "scale", scaler.get_scale(), "bad", stopper.bad, "best", stopper.best)
