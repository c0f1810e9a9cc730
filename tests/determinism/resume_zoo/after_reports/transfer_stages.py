"""Gradual unfreezing, one block at a time (ULMFiT style)."""
import argparse
import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--epochs", type=int, default=9)
p.add_argument("--stage-epochs", type=int, default=2)
p.add_argument("--lr", type=float, default=2e-3)
p.add_argument("--ckpt", default="stages.pt")
args = p.parse_args()
torch.set_num_threads(1)


def build():
    blocks = nn.ModuleList([
        nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()),
        nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)),
    ])
    for prm in blocks[:-1].parameters():
        prm.requires_grad = False
    return blocks


def forward(blocks, x):
    for b in blocks:
        x = b(x)
    return x


def open_stage(blocks, optimizer, stage):
    """Block -1-stage joins the training, at half the rate of the one above it."""
    new = list(blocks[-1 - stage].parameters())
    for prm in new:
        prm.requires_grad = True
    optimizer.add_param_group({"params": new, "lr": args.lr * 0.5 ** stage})


def main():
    torch.manual_seed(64)
    d = load_digits()
    x, y = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16, torch.tensor(d.target)
    blocks = build()
    optimizer = torch.optim.Adam(blocks[-1].parameters(), lr=args.lr)
    stage = epoch = 0
    if os.path.exists(args.ckpt):
        state = torch.load(args.ckpt)
        while stage < state["stage"]:
            stage += 1
            open_stage(blocks, optimizer, stage)
        blocks.load_state_dict(state["blocks"])
        optimizer.load_state_dict(state["optimizer"])
        epoch = state["epoch"]
        print(f"restarting at epoch {epoch}, stage {stage}")
    while epoch < args.epochs:
        if stage < len(blocks) - 1 and epoch >= args.stage_epochs * (stage + 1):
            stage += 1
            open_stage(blocks, optimizer, stage)
        gen = torch.Generator().manual_seed(6400 + epoch)
        for idx in torch.randperm(1500, generator=gen).split(50):
            loss = F.cross_entropy(forward(blocks, x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        epoch += 1
        print(f"epoch {epoch} stage {stage} loss {loss.item():.4f}")
        torch.save({"epoch": epoch, "stage": stage, "blocks": blocks.state_dict(),
                    "optimizer": optimizer.state_dict()}, args.ckpt)
    with torch.no_grad():
        print(f"final loss {F.cross_entropy(forward(blocks, x[1500:]), y[1500:]).item():.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 52
