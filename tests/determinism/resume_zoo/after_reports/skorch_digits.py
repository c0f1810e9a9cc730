"""skorch classifier on digits, one partial_fit call per epoch, saved after every second epoch."""
import json
import os
import random
import shutil
import time

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring
from sklearn.datasets import load_digits
from torch import nn

EPOCHS = 14
SAVE_EVERY = 2
DIR = "skorch_state"

torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self, width=96, p=0.3):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(64, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(p),
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(p),
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.body(x))


def seed_for(epoch):
    s = int(np.random.SeedSequence([90, epoch]).generate_state(1)[0])
    random.seed(s)
    np.random.seed(s)
    torch.manual_seed(s)


def lr_for(epoch):
    return 0.05 * 0.85 ** epoch


def commit(net, meta):
    tmp = DIR + ".tmp"
    shutil.rmtree(tmp, ignore_errors=True)
    os.makedirs(tmp)
    net.save_params(f_params=f"{tmp}/params.pt", f_optimizer=f"{tmp}/opt.pt", f_history=f"{tmp}/history.json")
    with open(f"{tmp}/meta.json", "w") as fh:
        json.dump(meta, fh)
    old = DIR + ".old"
    shutil.rmtree(old, ignore_errors=True)
    if os.path.isdir(DIR):
        os.rename(DIR, old)
    os.rename(tmp, DIR)


def main():
    seed_for(999)
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    y = y.astype(np.int64)
    perm = np.random.default_rng(0).permutation(len(x))
    tr, te = perm[:1300], perm[1300:]
    scoring = EpochScoring("accuracy", name="train_acc", on_train=True, lower_is_better=False)
    net = NeuralNetClassifier(
        Net, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.SGD, optimizer__momentum=0.9,
        optimizer__nesterov=True, lr=lr_for(0), batch_size=32, iterator_train__shuffle=True,
        train_split=None, max_epochs=1, callbacks=[scoring], warm_start=True, verbose=0,
    )
    net.initialize()
    epoch, best = 0, {"acc": -1.0, "epoch": -1}
    source = DIR if os.path.isdir(DIR) else (DIR + ".old" if os.path.isdir(DIR + ".old") else None)
    if source:
        net.load_params(f_params=f"{source}/params.pt", f_optimizer=f"{source}/opt.pt",
                        f_history=f"{source}/history.json")
        with open(f"{source}/meta.json") as fh:
            meta = json.load(fh)
        epoch, best = meta["epoch"], meta["best"]
        print(f"loaded {source}: epoch {epoch}, history rows {len(net.history)}")

    while epoch < EPOCHS:
        t0 = time.time()
        seed_for(epoch)
        for group in net.optimizer_.param_groups:
            group["lr"] = lr_for(epoch)
        net.partial_fit(x[tr], y[tr])
        acc = float((net.predict(x[te]) == y[te]).mean())
        if acc > best["acc"]:
            best = {"acc": acc, "epoch": epoch}
            net.save_params(f_params="best_params.pt")
        row = net.history[-1]
        print(f"epoch {epoch:2d} loss {row['train_loss']:.4f} train_acc {row['train_acc']:.4f} "
              f"test_acc {acc:.4f} {time.time() - t0:.2f}s")
        epoch += 1
        if epoch % SAVE_EVERY == 0:
            commit(net, {"epoch": epoch, "best": best, "time": time.time()})

    losses = [float(v) for v in net.history[:, "train_loss"]]
    acc = float((net.predict(x[te]) == y[te]).mean())
    print(f"final acc {acc:.6f} loss {losses[-1]:.7f} best {best['acc']:.6f}@{best['epoch']}")
    np.savez("skorch_final.npz", losses=losses, **{k: v.numpy() for k, v in net.module_.state_dict().items()})


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
