"""Momentum-contrast pretraining on the 8x8 digits, then a linear probe."""
import argparse
import csv
import glob
import math
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

torch.set_num_threads(1)


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=16)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=0.06)
    p.add_argument("--bank", type=int, default=1024)
    p.add_argument("--temperature", type=float, default=0.1)
    p.add_argument("--moco-m", type=float, default=0.98)
    p.add_argument("--save-freq", type=int, default=2)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


class Encoder(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.proj = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, dim))

    def forward(self, x):
        return F.normalize(self.proj(self.conv(x)), dim=1)


class MoCo(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m
        self.encoder_q = Encoder()
        self.encoder_k = Encoder()
        self.encoder_k.load_state_dict(self.encoder_q.state_dict())
        for p in self.encoder_k.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def momentum_update(self):
        for q, k in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
            k.mul_(self.m).add_(q, alpha=1 - self.m)

    def forward(self, a, b):
        q = self.encoder_q(a)
        with torch.no_grad():
            self.momentum_update()
            k = self.encoder_k(b)
        return q, k


class NTXentLoss(nn.Module):
    """InfoNCE against a memory bank of earlier keys."""

    def __init__(self, size, dim, temperature, seed):
        super().__init__()
        self.temperature = temperature
        g = torch.Generator().manual_seed(seed)
        self.bank = F.normalize(torch.randn(size, dim, generator=g), dim=1)
        self.ptr = 0

    @torch.no_grad()
    def enqueue(self, k):
        n = len(k)
        idx = (self.ptr + torch.arange(n)) % len(self.bank)
        self.bank[idx] = k
        self.ptr = int((self.ptr + n) % len(self.bank))

    def forward(self, q, k):
        pos = (q * k).sum(1, keepdim=True)
        neg = q @ self.bank.clone().t()
        logits = torch.cat([pos, neg], 1) / self.temperature
        loss = F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))
        self.enqueue(k)
        return loss


def augment(x):
    dx, dy = random.randint(-1, 1), random.randint(-1, 1)
    x = torch.roll(x, (dx, dy), dims=(2, 3))
    return x + 0.15 * torch.randn_like(x)


def save_checkpoint(path, epoch, model, optimizer, scheduler):
    state = {
        "epoch": epoch + 1,
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()},
    }
    torch.save(state, path + ".tmp")
    os.replace(path + ".tmp", path)


def main():
    args = parse()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
    labels = digits.target

    model = MoCo(args.moco_m)
    criterion = NTXentLoss(args.bank, 32, args.temperature, args.seed)
    optimizer = torch.optim.SGD(model.encoder_q.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)

    start_epoch = 0
    ckpts = sorted(glob.glob("checkpoint_*.pth.tar"))
    if ckpts:
        ck = torch.load(ckpts[-1], weights_only=False)
        start_epoch = ck["epoch"]
        model.load_state_dict(ck["state_dict"])
        optimizer.load_state_dict(ck["optimizer"])
        scheduler.load_state_dict(ck["scheduler"])
        random.setstate(ck["rng"]["python"])
        np.random.set_state(ck["rng"]["numpy"])
        torch.set_rng_state(ck["rng"]["torch"])
        print(f"=> loaded checkpoint '{ckpts[-1]}' (epoch {start_epoch})")

    log = open("train_log.csv", "a", newline="")
    writer = csv.writer(log)
    for epoch in range(start_epoch, args.epochs):
        order = np.random.permutation(len(images))
        total, seen = 0.0, 0
        for i in range(0, len(order) - args.batch + 1, args.batch):
            x = images[order[i:i + args.batch]]
            q, k = model(augment(x), augment(x))
            loss = criterion(q, k)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, seen = total + loss.item(), seen + 1
        lr = scheduler.get_last_lr()[0]
        scheduler.step()
        writer.writerow([epoch, repr(total / seen), lr])
        log.flush()
        print(f"Epoch: [{epoch}]  Loss {total / seen:.5f}  lr {lr:.4f}", flush=True)
        if (epoch + 1) % args.save_freq == 0:
            save_checkpoint(f"checkpoint_{epoch:04d}.pth.tar", epoch, model, optimizer, scheduler)

    with torch.no_grad():
        feats = model.encoder_q.conv(images).numpy()
    probe = LogisticRegression(max_iter=60, C=0.1).fit(feats[:1200], labels[:1200])
    acc = probe.score(feats[1200:], labels[1200:])
    norm = math.sqrt(sum(float(p.double().pow(2).sum()) for p in model.encoder_q.parameters()))
    print(f"final: loss {total / seen!r} probe_acc {acc!r} weight_norm {norm!r}")


if __name__ == "__main__":
    main()


# cause: replay memory (criterion.bank
# loaded: 128
