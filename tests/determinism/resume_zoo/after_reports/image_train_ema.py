"""Image classification training script (cut down from a timm-like train.py)."""
import argparse
import copy
import glob
import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("-b", "--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--smoothing", type=float, default=0.1)
parser.add_argument("--model-ema-decay", type=float, default=0.98)
parser.add_argument("--output", default="output/train")


class ModelEma:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for e, m in zip(self.module.state_dict().values(), model.state_dict().values()):
            if e.dtype.is_floating_point:
                e.copy_(self.decay * e + (1.0 - self.decay) * m)
            else:
                e.copy_(m)


def create_model():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def validate(model, x, y):
    model.eval()
    with torch.no_grad():
        return F.cross_entropy(model(x), y).item()


def main():
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(42)
    os.makedirs(args.output, exist_ok=True)
    d = load_digits()
    x, y = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16, torch.tensor(d.target)
    model = create_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, nesterov=True, weight_decay=2e-5)
    start_epoch = 0
    found = sorted(glob.glob(os.path.join(args.output, "checkpoint-*.pth.tar")))
    if found:
        ck = torch.load(found[-1])
        model.load_state_dict(ck["state_dict"])
        optimizer.load_state_dict(ck["optimizer"])
        start_epoch = ck["epoch"] + 1
    model_ema = ModelEma(model, args.model_ema_decay)
    for epoch in range(start_epoch, args.epochs):
        for group in optimizer.param_groups:
            group["lr"] = 0.5 * args.lr * (1 + math.cos(math.pi * epoch / args.epochs))
        model.train()
        order = torch.randperm(1500, generator=torch.Generator().manual_seed(42 + epoch))
        for idx in order.split(args.batch_size):
            loss = F.cross_entropy(model(x[idx]), y[idx], label_smoothing=args.smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            model_ema.update(model)
        print(f"Train: {epoch} Loss {loss.item():.4f}  Test (EMA): {validate(model_ema.module, x[1500:], y[1500:]):.4f}")
        torch.save({"epoch": epoch, "arch": "tiny", "state_dict": model.state_dict(),
                    "optimizer": optimizer.state_dict()}, os.path.join(args.output, f"checkpoint-{epoch:02d}.pth.tar"))
    print(f"final loss {validate(model_ema.module, x[1500:], y[1500:]):.10f}")


if __name__ == "__main__":
    main()

# cause: second copy of the model
# loaded: 61
