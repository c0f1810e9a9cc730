"""MLP regression (Friedman #1) with a learning rate that follows the validation loss."""
from pathlib import Path

import torch
from sklearn.datasets import make_friedman1
from torch import nn

torch.set_num_threads(1)
SEED, EPOCHS, BATCH = 5, 36, 20
RUN = Path("runs/friedman")


def load_data():
    x, y = make_friedman1(n_samples=900, noise=3.0, random_state=SEED)
    x = torch.tensor(x, dtype=torch.float32)
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)[:, None]
    return x[:600], y[:600], x[600:], y[600:]


class Trainer:
    def __init__(self):
        torch.manual_seed(SEED)
        self.model = nn.Sequential(nn.Linear(10, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=5e-3)
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimizer, factor=0.5, patience=4)
        self.criterion = nn.MSELoss()
        self.epoch = 0

    def save(self):
        RUN.mkdir(parents=True, exist_ok=True)
        torch.save(
            {
                "epoch": self.epoch,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
            RUN / "last.ckpt",
        )

    def load(self):
        state = torch.load(RUN / "last.ckpt", map_location="cpu")
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        print(f"resumed after {self.epoch} epochs, lr {self.optimizer.param_groups[0]['lr']:.2e}")

    def train_epoch(self, x, y):
        self.model.train()
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(SEED * 1000 + self.epoch))
        for idx in order.split(BATCH):
            self.optimizer.zero_grad()
            self.criterion(self.model(x[idx]), y[idx]).backward()
            self.optimizer.step()

    @torch.no_grad()
    def evaluate(self, x, y):
        self.model.eval()
        return self.criterion(self.model(x), y).item()

    def fit(self, x, y, xv, yv):
        if (RUN / "last.ckpt").exists():
            self.load()
        while self.epoch < EPOCHS:
            self.train_epoch(x, y)
            val = self.evaluate(xv, yv)
            self.scheduler.step(val)
            self.epoch += 1
            print(f"epoch {self.epoch:2d} val {val:.4f} lr {self.optimizer.param_groups[0]['lr']:.2e}")
            if self.epoch % 3 == 0:
                self.save()
        return self.evaluate(xv, yv)


if __name__ == "__main__":
    print(f"final loss {Trainer().fit(*load_data()):.10f}")

# cause: schedule of the learning rate
# loaded: 41
