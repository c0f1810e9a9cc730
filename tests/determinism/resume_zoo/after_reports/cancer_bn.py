"""Batch-normalised network on the breast cancer data; checkpoint every second epoch."""
import os
import pickle

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 3
EPOCHS = 40
BATCH = 32
CKPT = "cancer.ckpt"

torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self, d, width=128):
        super().__init__()
        self.fc1 = nn.Linear(d, width)
        self.bn1 = nn.BatchNorm1d(width, momentum=0.01)
        self.fc2 = nn.Linear(width, width)
        self.bn2 = nn.BatchNorm1d(width, momentum=0.01)
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        x = torch.relu(self.bn1(self.fc1(x)))
        x = torch.relu(self.bn2(self.fc2(x)))
        return self.out(x).squeeze(1)


def load_data():
    x, y = load_breast_cancer(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.25, random_state=1, stratify=y)
    mu, sd = xtr.mean(0), xtr.std(0)
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    return to((xtr - mu) / sd), to(ytr), to((xte - mu) / sd), to(yte)


def save(model, opt, epoch, log):
    blob = {
        "weights": {k: p.detach().numpy().copy() for k, p in model.named_parameters()},
        "opt": opt.state_dict(),
        "epoch": epoch,
        "log": log,
    }
    with open(CKPT + ".new", "wb") as f:
        pickle.dump(blob, f)
    os.replace(CKPT + ".new", CKPT)


def restore(model, opt):
    with open(CKPT, "rb") as f:
        blob = pickle.load(f)
    with torch.no_grad():
        for k, p in model.named_parameters():
            p.copy_(torch.from_numpy(blob["weights"][k]))
    opt.load_state_dict(blob["opt"])
    return blob["epoch"], blob["log"]


def main():
    torch.manual_seed(SEED)
    xtr, ytr, xte, yte = load_data()
    model = Net(xtr.shape[1])
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    bce = nn.BCEWithLogitsLoss()
    epoch, log = 0, []
    if os.path.exists(CKPT):
        epoch, log = restore(model, opt)
        print(f"continuing at epoch {epoch}", flush=True)

    while epoch < EPOCHS:
        order = np.random.default_rng([SEED, epoch]).permutation(len(xtr))
        for group in opt.param_groups:
            group["lr"] = 0.01 * 0.95 ** epoch
        model.train()
        losses = []
        for i in range(0, len(order) - BATCH + 1, BATCH):
            idx = torch.from_numpy(order[i:i + BATCH])
            noise = torch.randn(BATCH, xtr.shape[1],
                                generator=torch.Generator().manual_seed(SEED * 100000 + epoch * 100 + i))
            opt.zero_grad()
            loss = bce(model(xtr[idx] + 0.1 * noise), ytr[idx])
            loss.backward()
            opt.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            logit = model(xte)
            vl = bce(logit, yte).item()
            acc = ((logit > 0).float() == yte).float().mean().item()
        log.append((float(np.mean(losses)), vl, acc))
        print(f"epoch {epoch} loss {log[-1][0]:.6f} test {vl:.6f} acc {acc:.4f}", flush=True)
        epoch += 1
        if epoch % 2 == 0:
            save(model, opt, epoch, log)

    torch.save(model.state_dict(), "cancer_final.pt")
    print(f"FINAL train {log[-1][0]!r} test {log[-1][1]!r} acc {log[-1][2]!r}")


if __name__ == "__main__":
    main()

# cause: running statistics (buffers)
# loaded: 55
