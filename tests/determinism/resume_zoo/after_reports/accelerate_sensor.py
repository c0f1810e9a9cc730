"""accelerate: GRU on generated sensor windows, small micro batches with gradient accumulation, folder per state."""
import glob
import json
import os
import shutil
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, set_seed
from torch.utils.data import DataLoader, TensorDataset

SEED, EPOCHS, MICRO, ACCUM, SAVE_EVERY, KEEP = 17, 3, 16, 4, 20, 3
OUT = "states"
torch.set_num_threads(1)


def windows(n=960, length=24, seed=5):
    g = torch.Generator().manual_seed(seed)
    phase = torch.rand(n, 1, generator=g) * 6.28
    freq = 0.1 + 0.5 * torch.rand(n, 1, generator=g)
    t = torch.arange(length).float()[None]
    x = torch.sin(freq * t + phase) + 0.15 * torch.randn(n, length, generator=g)
    return x[..., None], freq


class Sensor(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)

        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


def newest():
    found = [d for d in glob.glob(os.path.join(OUT, "step_*")) if not d.endswith(".tmp")]
    return max(found, key=lambda d: int(d.rsplit("_", 1)[1])) if found else None


def main():
    set_seed(SEED)
    acc = Accelerator(cpu=True, gradient_accumulation_steps=ACCUM,
                      dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True, data_seed=SEED))
    x, y = windows()
    train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=MICRO, shuffle=True)
    vx, vy = x[800:], y[800:]
    model = Sensor()
    opt = torch.optim.RMSprop(model.parameters(), lr=2e-3, momentum=0.5)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.99)
    model, opt, train, sched = acc.prepare(model, opt, train, sched)

    start_epoch, skip, seen = 0, 0, 0
    last = newest()
    if last:
        acc.load_state(last)
        with open(os.path.join(last, "progress.json")) as fh:
            seen = json.load(fh)["seen"]
        start_epoch, skip = divmod(seen, len(train))
        print(f"[{time.strftime('%H:%M:%S')}] continue from {last}: epoch {start_epoch}, batch {skip}")

    os.makedirs(OUT, exist_ok=True)
    for epoch in range(start_epoch, EPOCHS):
        model.train()
        train.set_epoch(epoch)
        loader = acc.skip_first_batches(train, skip) if skip else train
        offset, skip = skip, 0
        for it, (bx, by) in enumerate(loader, start=offset):
            with acc.accumulate(model):
                loss = F.smooth_l1_loss(model(bx), by)
                acc.backward(loss)
                opt.step()
                sched.step()
                opt.zero_grad()
            seen += 1
            if it % 10 == 0:
                print(f"[{time.strftime('%H:%M:%S')}] epoch {epoch} it {it} loss {loss.item():.8f}")
            if it > 0 and it % SAVE_EVERY == 0:
                path = os.path.join(OUT, f"step_{seen:05d}")
                acc.save_state(path + ".tmp")
                with open(os.path.join(path + ".tmp", "progress.json"), "w") as fh:
                    json.dump({"seen": seen}, fh)
                shutil.rmtree(path, ignore_errors=True)
                os.replace(path + ".tmp", path)
                for old in sorted(d for d in glob.glob(os.path.join(OUT, "step_*")) if not d.endswith(".tmp"))[:-KEEP]:
                    shutil.rmtree(old)
        model.eval()
        with torch.no_grad():
            val = F.smooth_l1_loss(model(vx), vy).item()
        print(f"epoch {epoch} val_loss {val:.10f} lr {sched.get_last_lr()[0]:.8f}")
    raw = acc.unwrap_model(model)
    print("final val_loss %.10f weight_sum %.10f" % (val, sum(p.double().sum().item() for p in raw.parameters())))


if __name__ == "__main__":
    main()


# cause: accumulated gradients
# loaded: 61
