"""Gradual unfreezing: head first, then one more residual block per stage joins the optimizer."""

import glob
import os
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

SEED, EPOCHS, BATCH, DIM, DEPTH = 64, 11, 32, 48, 4
torch.manual_seed(SEED)
torch.set_num_threads(1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(DIM), nn.Linear(DIM, DIM), nn.Linear(DIM, DIM)

    def forward(self, x):
        return x + self.fc2(F.gelu(self.fc1(self.norm(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(64, DIM)
        self.blocks = nn.ModuleList(Residual() for _ in range(DEPTH))
        self.head = nn.Linear(DIM, 10)

    def forward(self, x):
        x = self.proj(x)
        for b in self.blocks:
            x = b(x)
        return self.head(x)


x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16.0, dtype=torch.float32), torch.tensor(y)
xt, yt, xv, yv = x[:1400], y[:1400], x[1400:], y[1400:]

net = Net()
net.requires_grad_(False)
net.head.requires_grad_(True)
opt = torch.optim.Adam(net.head.parameters(), lr=3e-3)
opened = 0


def open_block(i):
    net.blocks[i].requires_grad_(True)
    opt.add_param_group({"params": list(net.blocks[i].parameters()), "lr": 1.5e-3})


start, history = 0, []
found = sorted(glob.glob("unfreeze_*.pt"))
if found:
    c = torch.load(found[-1])
    net.load_state_dict(c["net"])
    opened, start, history = c["opened"], c["epoch"] + 1, c["history"]
    for i in range(DEPTH - opened, DEPTH):
        open_block(i)
    opt.load_state_dict(c["opt"])
    print(f"resumed {found[-1]}, {opened} blocks open, {len(opt.param_groups)} groups", flush=True)

for epoch in range(start, EPOCHS):
    while opened < min(epoch, DEPTH):
        opened += 1
        open_block(DEPTH - opened)
    net.train()
    g = torch.Generator().manual_seed(SEED * 100 + epoch)
    total = 0.0
    for b in torch.randperm(len(xt), generator=g).split(BATCH):
        loss = F.cross_entropy(net(xt[b]), yt[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(b)
    net.eval()
    with torch.no_grad():
        out = net(xv)
    history.append(
        {
            "train": total / len(xt),
            "val": F.cross_entropy(out, yv).item(),
            "acc": (out.argmax(1) == yv).float().mean().item(),
        }
    )
    path = f"unfreeze_{epoch:02d}.pt"
    torch.save(
        {"net": net.state_dict(), "opt": opt.state_dict(), "epoch": epoch, "opened": opened, "history": history},
        path + ".tmp",
    )
    os.replace(path + ".tmp", path)
    print(
        f"{time.strftime('%X')} epoch {epoch} open {opened} train {history[-1]['train']:.6f} val {history[-1]['val']:.6f} saved {path}",
        flush=True,
    )
    time.sleep(0.05)

torch.save(net.state_dict(), "final.pt")
print(f"FINAL val={history[-1]['val']:.9f} acc={history[-1]['acc']:.6f} epochs={len(history)}")

# cause: order of the optimizer's parameters
# loaded: 59
