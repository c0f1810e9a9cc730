"""accelerate: tabular regression, gradient accumulation, state folder every 12 batches."""

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

SEED, EPOCHS, BATCH, EVERY, LIMIT = 8, 9, 12, 12, 4
ROOT = "states"
torch.set_num_threads(1)
set_seed(SEED)


class Progress:
    def __init__(self):
        self.epoch, self.batch, self.step, self.best, self.curve = 0, 0, 0, math.inf, []

    def state_dict(self):
        return dict(self.__dict__)

    def load_state_dict(self, d):
        self.__dict__.update(d)


accelerator = Accelerator(
    cpu=True, gradient_accumulation_steps=2, dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True)
)
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X * 20, dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
train, val = TensorDataset(X[:360], y[:360]), (X[360:], y[360:])

model = nn.Sequential(nn.Linear(10, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
loader = DataLoader(train, batch_size=BATCH, shuffle=True)
total = EPOCHS * len(loader) // 2
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / 15) * max(0.0, 1 - s / total))
model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
progress = Progress()
accelerator.register_for_checkpointing(progress)


def save():
    final = os.path.join(ROOT, f"step_{progress.step:05d}")
    tmp = os.path.join(ROOT, ".writing")
    shutil.rmtree(tmp, ignore_errors=True)
    accelerator.save_state(tmp)
    os.rename(tmp, final)
    accelerator.print(time.strftime("%H:%M:%S"), "saved", final, flush=True)
    for old in sorted(d for d in os.listdir(ROOT) if d.startswith("step_"))[:-LIMIT]:
        shutil.rmtree(os.path.join(ROOT, old))


def validate():
    model.eval()
    with torch.no_grad():
        v = F.mse_loss(model(val[0]).squeeze(-1), val[1]).item()
    model.train()
    return v


os.makedirs(ROOT, exist_ok=True)
have = sorted(d for d in os.listdir(ROOT) if d.startswith("step_"))
if have:
    accelerator.load_state(os.path.join(ROOT, have[-1]))
    accelerator.print(f"resumed {have[-1]}: epoch {progress.epoch} batch {progress.batch}", flush=True)

model.train()
for epoch in range(progress.epoch, EPOCHS):
    active = accelerator.skip_first_batches(loader, progress.batch) if progress.batch else loader
    active.set_epoch(epoch)
    for xb, yb in active:
        with accelerator.accumulate(model):
            loss = F.mse_loss(model(xb).squeeze(-1), yb)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
        progress.batch += 1
        progress.step += 1
        time.sleep(0.003)
        if progress.step % EVERY == 0 and progress.batch < len(loader):
            save()
    v = validate()
    progress.best = min(progress.best, v)
    progress.curve.append(v)
    progress.epoch, progress.batch = epoch + 1, 0
    accelerator.print(f"epoch {epoch} val {v:.6f} lr {scheduler.get_last_lr()[0]:.2e}")
    save()

accelerator.save_model(model, "final_model")
w = sum(p.double().abs().sum().item() for p in model.parameters())
accelerator.print(
    f"FINAL val={progress.curve[-1]:.9f} best={progress.best:.9f} epochs={len(progress.curve)} weight_sum={w:.8f}"
)

# cause: none
# loaded: 73
