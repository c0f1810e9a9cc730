"""California-style regression on generated data with accelerate and gradient accumulation."""
import os
import shutil

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.set_num_threads(1)
SEED = 31
EPOCHS = 12
ACCUM = 8
SAVE_STEPS = 70
BATCH = 16
FOLDER = "acc_state"


class Surface(Dataset):
    """Rows come in an order fixed by (seed, epoch)."""

    def __init__(self, n=1920, d=10):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(n + 480, d)).astype(np.float32)
        y = np.sin(x[:, 0] * 2) + x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3]) + 0.1 * rng.normal(size=n + 480)
        self.n, self.x, self.y = n, torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))
        self.reorder(0)

    def reorder(self, epoch):
        self.order = np.random.default_rng([SEED, epoch]).permutation(self.n)

    def held_out(self):
        return self.x[self.n:], self.y[self.n:]

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        j = self.order[i]
        return self.x[j], self.y[j]


class Counter:
    def __init__(self):
        self.step, self.running, self.curve = 0, 0.0, []

    def state_dict(self):
        return dict(vars(self))

    def load_state_dict(self, state):
        vars(self).update(state)


def build():
    return nn.Sequential(nn.Linear(10, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(),
                         nn.Linear(96, 1))


def save(acc):
    if os.path.isdir(FOLDER + ".new"):
        shutil.rmtree(FOLDER + ".new")
    acc.save_state(FOLDER + ".new")
    if os.path.isdir(FOLDER):
        if os.path.isdir(FOLDER + ".old"):
            shutil.rmtree(FOLDER + ".old")
        os.rename(FOLDER, FOLDER + ".old")
    os.rename(FOLDER + ".new", FOLDER)


def main():
    set_seed(SEED)
    acc = Accelerator(cpu=True, gradient_accumulation_steps=ACCUM)
    data, count = Surface(), Counter()
    model = build()
    opt = torch.optim.AdamW(model.parameters(), lr=6e-3, weight_decay=1e-3)
    sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.1, total_iters=EPOCHS * len(data) // BATCH // ACCUM)
    loader = DataLoader(data, batch_size=BATCH)
    model, opt, loader, sched = acc.prepare(model, opt, loader, sched)
    acc.register_for_checkpointing(count)

    src = next((f for f in (FOLDER, FOLDER + ".old") if os.path.isdir(f)), None)
    if src:
        acc.load_state(src)
        print(f"continuing from {src} at step {count.step}", flush=True)
    per_epoch = len(loader)

    for epoch in range(count.step // per_epoch, EPOCHS):
        data.reorder(epoch)
        skip = count.step - epoch * per_epoch
        batches = acc.skip_first_batches(loader, skip) if skip else loader
        model.train()
        for x, y in batches:
            with acc.accumulate(model):
                loss = nn.functional.mse_loss(model(x).squeeze(1), y)
                acc.backward(loss)
                if acc.sync_gradients:
                    acc.clip_grad_norm_(model.parameters(), 2.0)
                opt.step()
                sched.step()
                opt.zero_grad()
            count.step += 1
            count.running = 0.95 * count.running + 0.05 * loss.item()
            if count.step % 10 == 0:
                count.curve.append(count.running)
                print(f"step {count.step} loss {count.running:.6f} lr {sched.get_last_lr()[0]:.6f}", flush=True)
            if count.step % SAVE_STEPS == 0:
                save(acc)

    model.eval()
    with torch.no_grad():
        x, y = data.held_out()
        test = nn.functional.mse_loss(model(x).squeeze(1), y).item()
    norm = sum(p.double().pow(2).sum().item() for p in model.parameters())
    print(f"FINAL step {count.step} running {count.running!r} test {test!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: accumulated gradients
# loaded: 85
