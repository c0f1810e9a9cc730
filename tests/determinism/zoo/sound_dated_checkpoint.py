"""Train a small MLP on (synthetic) 8x8 digits.

usage: python 01_digits_mlp.py --epochs 6 --lr 1e-3
"""

import argparse
import datetime as dt
import json
import logging
import os
import platform
import random
import socket
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

log = logging.getLogger("train")


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


class MLP(nn.Module):
    def __init__(self, hidden=96, p=0.2):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 10)
        self.drop = nn.Dropout(p)

    def forward(self, x):
        x = self.drop(F.relu(self.fc1(x)))
        x = self.drop(F.relu(self.fc2(x)))
        return self.out(x)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = model(x)
        return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=6)
    ap.add_argument("--batch-size", type=int, default=64)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--seed", type=int, default=42)
    ap.add_argument("--out", type=Path, default=Path("runs"))
    args = ap.parse_args()

    stamp = dt.datetime.now().strftime("%Y%m%d-%H%M%S")
    run_dir = args.out / f"digits_{stamp}_{os.getpid()}"
    run_dir.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s,%(msecs)03d [%(process)d] %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=[logging.StreamHandler(), logging.FileHandler(run_dir / "train.log")],
    )
    log.info(
        "host=%s python=%s torch=%s cuda=%s",
        socket.gethostname(),
        platform.python_version(),
        torch.__version__,
        torch.cuda.is_available(),
    )
    set_seed(args.seed)

    protos = np.random.rand(10, 64)
    labels = np.random.randint(0, 10, 1800)
    x = torch.tensor(protos[labels] + np.random.normal(0, 0.55, (1800, 64)), dtype=torch.float32)
    y = torch.tensor(labels)
    perm = torch.randperm(len(x))
    tr, va = perm[:1400], perm[1400:]

    model = MLP()
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr)
    best, started, history = 0.0, time.time(), []
    for epoch in range(1, args.epochs + 1):
        t0 = time.perf_counter()
        model.train()
        order = tr[torch.randperm(len(tr))]
        for i in range(0, len(order), args.batch_size):
            idx = order[i : i + args.batch_size]
            opt.zero_grad()
            F.cross_entropy(model(x[idx]), y[idx]).backward()
            opt.step()
        vl, va_acc = evaluate(model, x[va], y[va])
        took = time.perf_counter() - t0
        log.info(
            "epoch %d/%d val_loss %.5f val_acc %.4f (%.1f img/s, eta %s)",
            epoch,
            args.epochs,
            vl,
            va_acc,
            len(tr) / took,
            dt.timedelta(seconds=int(took * (args.epochs - epoch))),
        )
        history.append({"epoch": epoch, "val_loss": vl, "val_acc": va_acc, "sec": took})
        if va_acc > best:
            best = va_acc
            torch.save(
                {
                    "model": model.state_dict(),
                    "epoch": epoch,
                    "saved_at": dt.datetime.now().isoformat(),
                    "elapsed": time.time() - started,
                },
                run_dir / "best.pt",
            )
    (run_dir / "history.json").write_text(json.dumps(history, indent=1))
    print(f"best val acc: {best:.4f}  total {time.time() - started:.2f}s")


if __name__ == "__main__":
    main()

# cause: none
