"""MLP on the digits data with noise augmentation, early stopping and a resumable run folder."""
import datetime
import json
import os
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 60
PATIENCE = 25
RUN = "run"
LAST = os.path.join(RUN, "last.pt")
BEST = os.path.join(RUN, "best.pt")

torch.set_num_threads(1)


def log(msg):
    line = f"[{datetime.datetime.now():%Y-%m-%d %H:%M:%S}] {msg}"
    print(line, flush=True)
    with open(os.path.join(RUN, "train.log"), "a") as f:
        f.write(line + "\n")


def atomic_save(obj, path):
    tmp = path + ".tmp"
    torch.save(obj, tmp)
    os.replace(tmp, path)


def augment(x):
    if random.random() < 0.5:
        x = torch.roll(x.view(-1, 8, 8), random.choice([-1, 1]), 2).reshape(-1, 64)
    noise = np.random.normal(0, 0.05, size=tuple(x.shape)).astype(np.float32)
    return x + torch.from_numpy(noise)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        out = model(x)
        return nn.functional.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def main():
    os.makedirs(RUN, exist_ok=True)
    random.seed(11)
    np.random.seed(11)
    torch.manual_seed(11)

    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    xtr, xva, ytr, yva = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    xtr, xva, ytr, yva = map(torch.from_numpy, (xtr, xva, ytr, yva))

    gen = torch.Generator().manual_seed(5)
    loader = DataLoader(TensorDataset(xtr, ytr), batch_size=32, shuffle=True, generator=gen)
    model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.3), nn.Linear(96, 64),
                          nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, EPOCHS)

    start, best, bad, history = 0, float("inf"), 0, []
    if os.path.exists(LAST):
        ck = torch.load(LAST, weights_only=False)
        model.load_state_dict(ck["model"])
        opt.load_state_dict(ck["opt"])
        sched.load_state_dict(ck["sched"])
        start, best, bad, history = ck["epoch"], ck["best"], ck["bad"], ck["history"]
        random.setstate(ck["py"])
        np.random.set_state(ck["np"])
        torch.set_rng_state(ck["torch"])
        gen.set_state(ck["loader"])
        log(f"resumed after epoch {start}")

    for epoch in range(start, EPOCHS):
        if bad >= PATIENCE:
            break
        model.train()
        total = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(augment(xb)), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        sched.step()
        vloss, vacc = evaluate(model, xva, yva)
        history.append({"epoch": epoch, "train": total / len(xtr), "val": vloss, "acc": vacc})
        log(f"epoch {epoch:02d} train {total / len(xtr):.6f} val {vloss:.6f} acc {vacc:.4f}")
        if vloss < best:
            best, bad = vloss, 0
            atomic_save({"model": model.state_dict(), "epoch": epoch}, BEST)
        else:
            bad += 1
        atomic_save({"model": model.state_dict(), "opt": opt.state_dict(), "sched": sched.state_dict(),
                     "epoch": epoch + 1, "best": best, "bad": bad, "history": history,
                     "py": random.getstate(), "np": np.random.get_state(),
                     "torch": torch.get_rng_state(), "loader": gen.get_state()}, LAST)
        with open(os.path.join(RUN, "history.json"), "w") as f:
            json.dump(history, f, indent=1)

    bk = torch.load(BEST, weights_only=False)
    model.load_state_dict(bk["model"])
    vloss, vacc = evaluate(model, xva, yva)
    print(f"FINAL best_epoch {bk['epoch']} val {vloss!r} acc {vacc!r} epochs {len(history)} "
          f"last_train {history[-1]['train']!r}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
