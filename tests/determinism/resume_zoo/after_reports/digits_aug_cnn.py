"""Small CNN on 8x8 digits with random shifts and noise as augmentation."""
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 3
EPOCHS = 14
BATCH = 32
CKPT = "digits_cnn.pt"

torch.set_num_threads(1)
torch.manual_seed(SEED)


class ShiftNoise:
    def __init__(self, max_shift=1, sigma=0.08, seed=0):
        self.max_shift = max_shift
        self.sigma = sigma
        self.rng = np.random.default_rng(seed)

    def __call__(self, batch):
        out = np.empty_like(batch)
        for i, img in enumerate(batch):
            dy, dx = self.rng.integers(-self.max_shift, self.max_shift + 1, size=2)
            out[i] = np.roll(img, (dy, dx), axis=(0, 1))
        out += self.rng.normal(0, self.sigma, size=out.shape).astype(np.float32)
        return out


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(32)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(32 * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(self.drop(x.flatten(1)))


def get_data():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32).reshape(-1, 8, 8)
    return train_test_split(x, y, test_size=0.25, random_state=SEED, stratify=y)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(x)[:, None])
        loss = F.cross_entropy(logits, torch.from_numpy(y)).item()
        acc = (logits.argmax(1).numpy() == y).mean()
    return loss, float(acc)


def main():
    x_tr, x_te, y_tr, y_te = get_data()
    augment = ShiftNoise(seed=SEED)
    model = Net()
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS)
    start, history = 0, []

    if os.path.exists(CKPT):
        ck = torch.load(CKPT, weights_only=False)
        model.load_state_dict(ck["model"])
        opt.load_state_dict(ck["opt"])
        sched.load_state_dict(ck["sched"])
        torch.set_rng_state(ck["torch_rng"])
        start, history = ck["epoch"], ck["history"]
        print(f"resuming at epoch {start}")

    for epoch in range(start, EPOCHS):
        t0 = time.time()
        model.train()
        order = torch.randperm(len(x_tr)).numpy()
        total = 0.0
        for i in range(0, len(order), BATCH):
            idx = order[i:i + BATCH]
            xb = torch.from_numpy(augment(x_tr[idx]))[:, None]
            yb = torch.from_numpy(y_tr[idx])
            loss = F.cross_entropy(model(xb), yb, label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        sched.step()
        val_loss, val_acc = evaluate(model, x_te, y_te)
        history.append((total / len(order), val_loss, val_acc))
        print(f"epoch {epoch:2d} train {total / len(order):.4f} val {val_loss:.4f} "
              f"acc {val_acc:.4f} ({time.time() - t0:.2f}s)")
        state = {
            "model": model.state_dict(),
            "opt": opt.state_dict(),
            "sched": sched.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "epoch": epoch + 1,
            "history": history,
        }
        torch.save(state, CKPT + ".tmp")
        os.replace(CKPT + ".tmp", CKPT)

    val_loss, val_acc = evaluate(model, x_te, y_te)
    print(f"final val_loss {val_loss:.6f} val_acc {val_acc:.4f}")
    torch.save({"model": model.state_dict(), "history": history}, "digits_cnn_final.pt")


if __name__ == "__main__":
    main()

# cause: generator of the program's own (augment.rng
# loaded: 76
