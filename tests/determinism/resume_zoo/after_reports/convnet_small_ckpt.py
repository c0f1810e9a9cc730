"""Small residual conv net on the 8x8 digits, compact checkpoints once per epoch."""

import os
import re
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

SEED = 99
EPOCHS = 7
CKPTS = "runs/ckpt"
torch.set_num_threads(1)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.b = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.na, self.nb = nn.BatchNorm2d(c), nn.BatchNorm2d(c)

    def forward(self, x):
        h = F.relu(self.na(self.a(x)))
        return F.relu(x + self.nb(self.b(h)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, padding=1)
        self.body = nn.Sequential(Block(16), nn.MaxPool2d(2), Block(16))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.body(self.stem(x)).mean((2, 3)))


def pack(model):
    return {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}


def newest():
    if not os.path.isdir(CKPTS):
        return None
    names = [n for n in os.listdir(CKPTS) if re.fullmatch(r"epoch\d+\.pt", n)]
    return os.path.join(CKPTS, max(names, key=lambda n: int(n[5:-3]))) if names else None


def bar(i, n, msg, width=24):
    k = int(width * i / n)
    sys.stderr.write(f"\r[{'#' * k}{'.' * (width - k)}] {i}/{n} {msg}")
    if i == n:
        sys.stderr.write("\n")


def main():
    torch.manual_seed(SEED)
    os.makedirs(CKPTS, exist_ok=True)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    y = torch.tensor(y)
    xt, yt, xv, yv = x[:1400], y[:1400], x[1400:], y[1400:]

    model = Net()
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3)
    sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, EPOCHS)
    shuffler = torch.Generator().manual_seed(SEED)
    start, history, best = 0, [], 1e9

    path = newest()
    if path:
        c = torch.load(path, weights_only=False)
        model.load_state_dict(c["model"])
        opt.load_state_dict(c["opt"])
        sch.load_state_dict(c["sch"])
        shuffler.set_state(c["shuffler"])
        start, history, best = c["epoch"] + 1, c["history"], c["best"]
        print(f"resumed {path}: next epoch {start}, best so far {best:.6f}", flush=True)

    for epoch in range(start, EPOCHS):
        model.train()
        order = torch.randperm(len(xt), generator=shuffler)
        batches = order.split(40)
        total = 0.0
        for i, b in enumerate(batches, 1):
            loss = F.cross_entropy(model(xt[b]), yt[b], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
            bar(i, len(batches), f"loss {loss.item():.3f}")
        sch.step()
        model.eval()
        with torch.no_grad():
            out = model(xv)
        vl, acc = F.cross_entropy(out, yv).item(), (out.argmax(1) == yv).float().mean().item()
        history.append((total / len(batches), vl, acc))
        if vl < best:
            best = vl
            torch.save(model.state_dict(), "runs/best.pt")
        target = os.path.join(CKPTS, f"epoch{epoch}.pt")
        torch.save(
            {
                "epoch": epoch,
                "model": pack(model),
                "opt": opt.state_dict(),
                "sch": sch.state_dict(),
                "shuffler": shuffler.get_state(),
                "history": history,
                "best": best,
            },
            target + "~",
        )
        os.rename(target + "~", target)
        print(
            f"{time.strftime('%X')} epoch {epoch} train {history[-1][0]:.6f} val {vl:.6f} acc {acc:.4f} | saved {target}",
            flush=True,
        )

    torch.save(model.state_dict(), "runs/final.pt")
    print(f"FINAL val_loss={history[-1][1]:.8f} acc={history[-1][2]:.6f} best={best:.8f}")


if __name__ == "__main__":
    main()

# cause: precision of the parameters
# loaded: 76
