"""Transfer learning: features from digits 0-4, fine-tuned on digits 5-9 (head first, then everything)."""
import argparse
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--unfreeze-epoch", type=int, default=4)
    p.add_argument("--head-lr", type=float, default=2e-3)
    p.add_argument("--backbone-lr", type=float, default=3e-4)
    p.add_argument("--batch-size", type=int, default=16)
    p.add_argument("--pretrained", default="backbone.pt")
    p.add_argument("--ckpt", default="last.pt")
    p.add_argument("--seed", type=int, default=8)
    return p.parse_args()


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 48),
                                      nn.ReLU())
        self.head = nn.Linear(48, classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def set_trainable(module, flag):
    for p in module.parameters():
        p.requires_grad_(flag)


def data(lo, hi):
    d = load_digits()
    keep = (d.target >= lo) & (d.target < hi)
    x = torch.tensor(d.images[keep], dtype=torch.float32).unsqueeze(1) / 16
    return x, torch.tensor(d.target[keep] - lo)


def pretrain(path, seed):
    torch.manual_seed(seed)
    x, y = data(0, 5)
    net = Net(5)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(3):
        for idx in torch.randperm(len(x)).split(64):
            loss = F.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    torch.save(net.backbone.state_dict(), path + ".tmp")
    os.replace(path + ".tmp", path)


def main():
    args = get_args()
    if not os.path.exists(args.pretrained):
        pretrain(args.pretrained, args.seed)

    torch.manual_seed(args.seed)
    x, y = data(5, 10)
    n = 680
    loader_gen = torch.Generator()
    train_loader = DataLoader(TensorDataset(x[:n], y[:n]), batch_size=args.batch_size, shuffle=True,
                              generator=loader_gen)

    model = Net(5)
    model.backbone.load_state_dict(torch.load(args.pretrained))
    set_trainable(model.backbone, False)
    optimizer = torch.optim.AdamW([{"params": model.head.parameters(), "lr": args.head_lr},
                                   {"params": model.backbone.parameters(), "lr": args.backbone_lr}])
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)

    start_epoch, best = 0, float("inf")
    if os.path.exists(args.ckpt):
        ck = torch.load(args.ckpt)
        model.load_state_dict(ck["model"])
        optimizer.load_state_dict(ck["optimizer"])
        scheduler.load_state_dict(ck["scheduler"])
        start_epoch, best = ck["epoch"] + 1, ck["best"]
        print("resume from epoch", start_epoch)

    for epoch in range(start_epoch, args.epochs):
        if epoch == args.unfreeze_epoch:
            print("unfreezing the backbone")
            set_trainable(model.backbone, True)
        loader_gen.manual_seed(args.seed + epoch)
        model.train()
        total = 0.0
        for xb, yb in train_loader:
            loss = F.cross_entropy(model(xb), yb, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        scheduler.step()
        model.eval()
        with torch.no_grad():
            logits = model(x[n:])
        val = F.cross_entropy(logits, y[n:]).item()
        acc = (logits.argmax(1) == y[n:]).float().mean().item()
        best = min(best, val)
        print(f"epoch {epoch:02d} train {total / n:.6f} val {val:.6f} acc {acc:.4f}", flush=True)
        torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict(), "best": best}, args.ckpt + ".tmp")
        os.replace(args.ckpt + ".tmp", args.ckpt)

    print("final val_loss", repr(val), "acc", repr(acc), "best", repr(best))


if __name__ == "__main__":
    main()


# cause: which parameters are trained
# loaded: 79
