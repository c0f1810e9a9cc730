"""Small conv net on the 8x8 digits with random shifts and flips."""
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset

torch.set_num_threads(1)
CKPT = "checkpoint.pth.tar"
EPOCHS = 8


class Digits(Dataset):
    def __init__(self, x, y, train):
        self.x, self.y, self.train = x, y, train

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        img = self.x[i]
        if self.train:
            if random.random() < 0.5:
                img = np.roll(img, random.choice([-1, 1]), axis=1)
            img = img + np.random.normal(0, 0.05, img.shape)
        return torch.tensor(img, dtype=torch.float32)[None], int(self.y[i])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(32 * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(self.drop(x.flatten(1)))


def main():
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    d = load_digits()
    x, y = d.images / 16.0, d.target
    train = DataLoader(Digits(x[:1400], y[:1400], True), batch_size=64, shuffle=True)
    test = DataLoader(Digits(x[1400:], y[1400:], False), batch_size=128)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    start = 0
    if os.path.isfile(CKPT):
        ck = torch.load(CKPT, weights_only=False)
        model.load_state_dict(ck["state_dict"])
        optimizer.load_state_dict(ck["optimizer"])
        scheduler.load_state_dict(ck["scheduler"])
        start = ck["epoch"]
        torch.set_rng_state(ck["rng"]["torch"])
        np.random.set_state(ck["rng"]["numpy"])
        random.setstate(ck["rng"]["python"])
        print(f"=> loaded checkpoint (epoch {start})")
    for epoch in range(start, EPOCHS):
        model.train()
        for xb, yb in train:
            loss = F.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")
        rng = {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "python": random.getstate()}
        torch.save({"epoch": epoch + 1, "state_dict": model.state_dict(), "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict(), "rng": rng}, CKPT)
    model.eval()
    with torch.no_grad():
        total = sum(F.cross_entropy(model(a), b, reduction="sum").item() for a, b in test)
    print(f"final loss {total / len(test.dataset):.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 60
