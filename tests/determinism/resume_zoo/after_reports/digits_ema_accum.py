"""Digits MLP with batch norm, dropout, mixup, gradient accumulation and an averaged copy of the weights."""

import copy
import csv
import glob
import json
import os
import random
import time
import uuid

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

SEED, EPOCHS, BATCH, ACCUM, KEEP = 21, 12, 32, 4, 3
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_num_threads(1)

x, y = load_digits(return_X_y=True)
x = torch.tensor(x / 16.0, dtype=torch.float32)
y = torch.tensor(y)
perm = np.random.RandomState(0).permutation(len(x))
tr, va = perm[:1400], perm[1400:]

net = nn.Sequential(
    nn.Linear(64, 128),
    nn.BatchNorm1d(128),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(128, 64),
    nn.BatchNorm1d(64),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(64, 10),
)
ema = copy.deepcopy(net).eval()
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.OneCycleLR(
    opt, max_lr=0.2, epochs=EPOCHS, steps_per_epoch=-(-len(tr) // (BATCH * ACCUM))
)


def update_ema(decay=0.98):
    with torch.no_grad():
        for a, b in zip(ema.state_dict().values(), net.state_dict().values()):
            if a.dtype.is_floating_point:
                a.mul_(decay).add_(b, alpha=1 - decay)
            else:
                a.copy_(b)


def accuracy(model):
    was = model.training
    model.eval()
    with torch.no_grad():
        out = model(x[va])
        res = (out.argmax(1) == y[va]).float().mean().item(), F.cross_entropy(out, y[va]).item()
    model.train(was)
    return res


def write(obj, path):
    tmp = f"{path}.part"
    torch.save(obj, tmp)
    os.replace(tmp, path)


run = {"run_id": uuid.uuid4().hex[:8], "elapsed": 0.0, "history": [], "best": 0.0}
first = 0
saved = sorted(glob.glob("ckpt_ep*.pth"))
if saved:
    c = torch.load(saved[-1], weights_only=False)
    net.load_state_dict(c["net"])
    ema.load_state_dict(c["ema"])
    opt.load_state_dict(c["opt"])
    sched.load_state_dict(c["sched"])
    run = c["run"]
    first = c["epoch"] + 1
    random.setstate(c["rng"]["python"])
    np.random.set_state(c["rng"]["numpy"])
    torch.set_rng_state(c["rng"]["torch"])
    print("continuing run", run["run_id"], "at epoch", first)

for epoch in range(first, EPOCHS):
    tic = time.time()
    net.train()
    idx = tr[np.random.permutation(len(tr))]
    chunks = [idx[i : i + BATCH] for i in range(0, len(idx), BATCH)]
    total = 0.0
    opt.zero_grad()
    for i, b in enumerate(chunks):
        xb, yb = x[b], y[b]
        xb = xb + 0.05 * torch.from_numpy(np.random.randn(*xb.shape).astype("float32"))
        if random.random() < 0.5:
            lam = random.betavariate(0.4, 0.4)
            p = torch.randperm(len(xb))
            out = net(lam * xb + (1 - lam) * xb[p])
            loss = lam * F.cross_entropy(out, yb) + (1 - lam) * F.cross_entropy(out, yb[p])
        else:
            loss = F.cross_entropy(net(xb), yb)
        (loss / ACCUM).backward()
        total += loss.item()
        if (i + 1) % ACCUM == 0 or i + 1 == len(chunks):
            opt.step()
            sched.step()
            opt.zero_grad()
            update_ema()
    acc, vl = accuracy(net)
    eacc, evl = accuracy(ema)
    run["elapsed"] += time.time() - tic
    run["history"].append({"epoch": epoch, "loss": total / len(chunks), "acc": acc, "ema_acc": eacc})
    new = not os.path.exists("metrics.csv")
    with open("metrics.csv", "a", newline="") as f:
        w = csv.writer(f)
        if new:
            w.writerow(["time", "epoch", "train_loss", "val_acc", "val_loss", "ema_acc", "ema_loss"])
        w.writerow([time.strftime("%F %T"), epoch, total / len(chunks), acc, vl, eacc, evl])
    if eacc > run["best"]:
        run["best"] = eacc
        write(ema.state_dict(), "best.pth")
    write(
        {
            "epoch": epoch,
            "net": net.state_dict(),
            "ema": ema.state_dict(),
            "opt": opt.state_dict(),
            "sched": sched.state_dict(),
            "run": run,
            "rng": {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()},
        },
        f"ckpt_ep{epoch:03d}.pth",
    )
    print(
        f"epoch {epoch}: loss {total / len(chunks):.6f} acc {acc:.4f} ema {eacc:.4f} saved ckpt_ep{epoch:03d}.pth",
        flush=True,
    )
    for old in sorted(glob.glob("ckpt_ep*.pth"))[:-KEEP]:
        os.remove(old)
    time.sleep(0.05)

json.dump(run, open("summary.json", "w"), indent=1)
torch.save({"net": net.state_dict(), "ema": ema.state_dict()}, "final.pth")
acc, vl = accuracy(net)
eacc, evl = accuracy(ema)
print(
    f"FINAL acc={acc:.6f} val_loss={vl:.9f} ema_acc={eacc:.6f} ema_loss={evl:.9f} best={run['best']:.6f} epochs={len(run['history'])}"
)

# cause: none
# loaded: 77
