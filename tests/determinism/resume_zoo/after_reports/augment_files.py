"""Digits with random masks; weights per epoch in their own files, trainer state in one more file."""
import glob
import os

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.set_num_threads(1)
SEED = 77
EPOCHS = 30
DIR = "weights"
STATE = "trainer.pt"


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(64, 128), nn.LayerNorm(128), nn.ReLU())
        self.block = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 128))
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        h = self.stem(x)
        return self.head(h + self.block(h))


def mask(x, rng):
    """Blank a random 3x3 patch of every image."""
    x = x.copy().reshape(-1, 8, 8)
    for img, (r, c) in zip(x, rng.integers(0, 6, (len(x), 2))):
        img[r:r + 3, c:c + 3] = 0
    return torch.from_numpy(x.reshape(-1, 64))


class Run:
    def __init__(self):
        torch.manual_seed(SEED)
        self.model = Classifier()
        decay = [p for n, p in self.model.named_parameters() if n.endswith("weight")]
        plain = [p for n, p in self.model.named_parameters() if not n.endswith("weight")]
        self.opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02},
                                      {"params": plain, "weight_decay": 0.0}], lr=1.5e-3)
        self.sched = torch.optim.lr_scheduler.ExponentialLR(self.opt, 0.95)
        self.rng = np.random.default_rng(SEED)
        self.epoch, self.table = 0, []

    def save(self):
        os.makedirs(DIR, exist_ok=True)
        path = os.path.join(DIR, f"epoch_{self.epoch}.pt")
        torch.save(self.model.state_dict(), path + ".tmp")
        os.replace(path + ".tmp", path)
        torch.save({"opt": self.opt.state_dict(), "sched": self.sched.state_dict(), "epoch": self.epoch,
                    "table": self.table, "numpy": self.rng.bit_generator.state,
                    "torch": torch.get_rng_state()}, STATE + ".tmp")
        os.replace(STATE + ".tmp", STATE)

    def restore(self):
        if not os.path.exists(STATE):
            return
        weights = sorted(glob.glob(os.path.join(DIR, "epoch_*.pt")))[-1]
        self.model.load_state_dict(torch.load(weights))
        st = torch.load(STATE, weights_only=False)
        self.opt.load_state_dict(st["opt"])
        self.sched.load_state_dict(st["sched"])
        self.epoch, self.table = st["epoch"], st["table"]
        self.rng.bit_generator.state = st["numpy"]
        torch.set_rng_state(st["torch"])
        print(f"loaded {weights}, going on", flush=True)

    def train_epoch(self, x, y):
        self.model.train()
        total = 0.0
        for idx in np.array_split(self.rng.permutation(len(x)), len(x) // 32):
            loss = nn.functional.cross_entropy(self.model(mask(x[idx], self.rng)), torch.from_numpy(y[idx]))
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            total += loss.item() * len(idx)
        self.sched.step()
        self.epoch += 1
        return total / len(x)

    @torch.no_grad()
    def test(self, x, y):
        self.model.eval()
        out, y = self.model(torch.from_numpy(x)), torch.from_numpy(y)
        return nn.functional.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def main():
    x, y = load_digits(return_X_y=True)
    xtr, xte, ytr, yte = train_test_split((x / 16).astype(np.float32), y, test_size=0.3, random_state=4)
    run = Run()
    run.restore()
    while run.epoch < EPOCHS:
        loss = run.train_epoch(xtr, ytr)
        val, acc = run.test(xte, yte)
        run.table.append((loss, val, acc))
        print(f"epoch {run.epoch} loss {loss:.6f} test {val:.6f} acc {acc:.4f}", flush=True)
        run.save()
    norm = sum(p.double().pow(2).sum().item() for p in run.model.parameters())
    print(f"FINAL epochs {len(run.table)} last {run.table[-1]} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: parameters of the newest checkpoint
# loaded: 65
