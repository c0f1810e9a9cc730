"""Residual denoiser on patches of a synthetic picture, with the usual random crops and flips."""
import os
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class Patches(Dataset):
    def __init__(self, length=640, size=12):
        u, v = np.meshgrid(np.linspace(0, 6, 96), np.linspace(0, 6, 96))
        self.img = (0.5 + 0.25 * np.sin(3 * u) * np.cos(2 * v) + 0.25 * np.sign(np.sin(u * v))).astype("float32")
        self.length, self.size = length, size

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        r, c = np.random.randint(0, 96 - self.size, 2)
        patch = self.img[r:r + self.size, c:c + self.size]
        if np.random.rand() < 0.5:
            patch = patch[:, ::-1]
        return torch.from_numpy(patch.copy())[None]


class DnCNN(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x):
        return x - self.body(x)


def save_checkpoint(path, epoch, model, optimizer, scheduler, loss):
    torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(), "loss": loss,
                "rng_state": torch.get_rng_state(), "py_rng_state": random.getstate()}, path)


def load_checkpoint(path, model, optimizer, scheduler):
    ck = torch.load(path, weights_only=False)
    model.load_state_dict(ck["model"])
    optimizer.load_state_dict(ck["optimizer"])
    scheduler.load_state_dict(ck["scheduler"])
    torch.set_rng_state(ck["rng_state"])
    random.setstate(ck["py_rng_state"])
    return ck["epoch"], ck["loss"]


def main(epochs=9, path="last.pth"):
    torch.set_num_threads(1)
    seed_everything(2024)
    loader = DataLoader(Patches(), batch_size=32, shuffle=True)
    model = DnCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.85)
    epoch, mean = 0, float("nan")
    if os.path.exists(path):
        epoch, mean = load_checkpoint(path, model, optimizer, scheduler)
    while epoch < epochs:
        losses = []
        for clean in loader:
            noisy = clean + random.uniform(0.05, 0.2) * torch.randn_like(clean)
            loss = nn.functional.mse_loss(model(noisy), clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        epoch += 1
        mean = float(np.mean(losses))
        print(f"epoch {epoch} mse {mean:.5f}")
        save_checkpoint(path, epoch, model, optimizer, scheduler, mean)
    print(f"final loss {mean:.10f}")


if __name__ == "__main__":
    main()

# cause: generator (numpy.random)
# loaded: 53
