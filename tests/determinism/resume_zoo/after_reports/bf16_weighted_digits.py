"""Digits with rare classes: weighted sampler, bfloat16 autocast, Nesterov SGD, cosine restarts, EMA, mid-epoch saves."""
import collections
import csv
import glob
import os
import random
import time
import uuid

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

SEED, EPOCHS, BATCH, SAVE_EVERY, KEEP = 7, 6, 32, 13, 4
MAX_SECONDS = 3600
torch.set_num_threads(1)
torch.manual_seed(SEED)
random.seed(SEED)
np.random.seed(SEED)


class Jittered(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        img = self.x[i]
        if random.random() < 0.5:
            img = torch.roll(img, random.choice([-1, 1]), dims=random.choice([1, 2]))
        return img + 0.05 * torch.from_numpy(np.random.randn(1, 8, 8).astype("float32")), self.y[i]


digits = load_digits()
X = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
Y = torch.tensor(digits.target)
perm = torch.randperm(len(X), generator=torch.Generator().manual_seed(1))
X, Y = X[perm], Y[perm]
keep = torch.ones(1200, dtype=torch.bool)
for c in (3, 8):
    keep[(Y[:1200] == c).nonzero().flatten()[20:]] = False
train_x, train_y, val_x, val_y = X[:1200][keep], Y[:1200][keep], X[1200:], Y[1200:]
counts = torch.bincount(train_y).float()
sampler_gen = torch.Generator().manual_seed(SEED + 1)
sampler = WeightedRandomSampler((1 / counts)[train_y], len(train_y), generator=sampler_gen)
data = Jittered(train_x, train_y)

net = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(),
                    nn.Dropout(0.2), nn.Linear(24 * 16, 10))
ema = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.97),
                                          use_buffers=True)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2)
recent = collections.deque(maxlen=20)
state = {"epoch": 0, "pos": 0, "step": 0, "best": 0.0, "run": uuid.uuid4().hex[:8], "history": []}


def save(order):
    state["order"] = order
    blob = {"state": dict(state), "net": net.state_dict(), "ema": ema.state_dict(), "opt": opt.state_dict(),
            "sched": sched.state_dict(), "recent": list(recent), "torch": torch.get_rng_state(),
            "sampler": sampler_gen.get_state(), "py": random.getstate(), "np": np.random.get_state()}
    name = f"ck_{state['step']:05d}.pt"
    torch.save(blob, name + ".part")
    os.replace(name + ".part", name)
    for old in sorted(glob.glob("ck_*.pt"))[:-KEEP]:
        os.remove(old)


order = None
files = sorted(glob.glob("ck_*.pt"))
if files:
    blob = torch.load(files[-1], weights_only=False)
    state = blob["state"]
    order = state["order"]
    net.load_state_dict(blob["net"])
    ema.load_state_dict(blob["ema"])
    opt.load_state_dict(blob["opt"])
    sched.load_state_dict(blob["sched"])
    recent.extend(blob["recent"])
    sampler_gen.set_state(blob["sampler"])
    torch.set_rng_state(blob["torch"])
    random.setstate(blob["py"])
    np.random.set_state(blob["np"])
    print("resuming", files[-1], "run", state["run"])

began = time.time()
while state["epoch"] < EPOCHS and time.time() - began < MAX_SECONDS:
    if order is None:
        order = list(sampler)
    n_batches = (len(order) + BATCH - 1) // BATCH
    net.train()
    while state["pos"] < n_batches:
        idx = order[state["pos"] * BATCH:(state["pos"] + 1) * BATCH]
        items = [data[i] for i in idx]
        x, y = torch.stack([a for a, _ in items]), torch.stack([b for _, b in items])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(net(x), y, label_smoothing=0.05)
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update_parameters(net)
        sched.step(state["epoch"] + (state["pos"] + 1) / n_batches)
        recent.append(loss.item())
        state["pos"] += 1
        state["step"] += 1
        if state["step"] % 10 == 0:
            print(f"{time.strftime('%F %T')} step {state['step']} loss {loss.item():.6f} "
                  f"avg {sum(recent) / len(recent):.6f} lr {sched.get_last_lr()[0]:.6f}")
        if state["step"] % SAVE_EVERY == 0:
            save(order)
    ema.eval()
    with torch.no_grad():
        out = ema(val_x)
        acc = (out.argmax(1) == val_y).float().mean().item()
        vloss = F.cross_entropy(out, val_y).item()
    state["history"].append((state["epoch"], vloss, acc))
    with open("metrics.csv", "a", newline="") as fh:
        csv.writer(fh).writerow([time.time(), state["run"], state["epoch"], vloss, acc])
    if acc > state["best"]:
        state["best"] = acc
        torch.save(ema.module.state_dict(), "best.pt")
    print(f"epoch {state['epoch']} val_loss {vloss:.8f} val_acc {acc:.4f} best {state['best']:.4f}")
    state["epoch"] += 1
    state["pos"] = 0
    order = None

wsum = sum(p.double().sum().item() for p in net.parameters())
print(f"final val_loss {vloss:.10f} best {state['best']:.6f} weight_sum {wsum:.10f} epochs {len(state['history'])}")


# cause: none
# loaded: 79
