"""accelerate: tabular regression with warm-up and cosine decay, state folder after every epoch."""

import math
import os
import shutil
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, set_seed
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, BATCH, LIMIT = 15, 12, 12, 5
ROOT = "accel_ckpt"
torch.set_num_threads(1)
set_seed(SEED)


class Progress:
    def __init__(self):
        self.epoch, self.step, self.best, self.curve = 0, 0, math.inf, []

    def state_dict(self):
        return dict(self.__dict__)

    def load_state_dict(self, d):
        self.__dict__.update(d)


accelerator = Accelerator(cpu=True, dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True))
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X * 20, dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
train, val = TensorDataset(X[:360], y[:360]), (X[360:], y[360:])

model = nn.Sequential(nn.Linear(10, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
loader = DataLoader(train, batch_size=BATCH, shuffle=True)
total = EPOCHS * len(loader)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: min(1.0, (s + 1) / 40) * 0.5 * (1 + math.cos(math.pi * s / total))
)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
progress = Progress()
accelerator.register_for_checkpointing(progress)


def save():
    final = os.path.join(ROOT, f"epoch_{progress.epoch:03d}")
    tmp = os.path.join(ROOT, ".writing")
    shutil.rmtree(tmp, ignore_errors=True)
    accelerator.save_state(tmp)
    os.rename(tmp, final)
    accelerator.print(time.strftime("%H:%M:%S"), "saved", final, flush=True)
    for old in sorted(d for d in os.listdir(ROOT) if d.startswith("epoch_"))[:-LIMIT]:
        shutil.rmtree(os.path.join(ROOT, old))


def validate():
    model.eval()
    with torch.no_grad():
        v = F.mse_loss(model(val[0]).squeeze(-1), val[1]).item()
    model.train()
    return v


os.makedirs(ROOT, exist_ok=True)
have = sorted(d for d in os.listdir(ROOT) if d.startswith("epoch_"))
if have:
    accelerator.load_state(os.path.join(ROOT, have[-1]))
    accelerator.print(f"resumed {have[-1]}: epoch {progress.epoch} step {progress.step}", flush=True)

model.train()
for epoch in range(progress.epoch, EPOCHS):
    loader.set_epoch(epoch)
    for xb, yb in loader:
        loss = F.mse_loss(model(xb).squeeze(-1), yb)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        progress.step += 1
        time.sleep(0.002)
    v = validate()
    progress.best = min(progress.best, v)
    progress.curve.append(v)
    progress.epoch = epoch + 1
    accelerator.print(f"epoch {epoch} val {v:.6f} lr {scheduler.get_last_lr()[0]:.2e}")
    save()

accelerator.save_model(model, "final_model")
w = sum(p.double().abs().sum().item() for p in model.parameters())
accelerator.print(
    f"FINAL val={progress.curve[-1]:.9f} best={progress.best:.9f} epochs={len(progress.curve)} weight_sum={w:.8f}"
)

# cause: schedule of the learning rate
# loaded: 73
