"""Ignite trainer on generated moons with a loss scaler, warm restarts and stochastic weight averaging."""
import os

import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver
from sklearn.datasets import make_moons
from torch import nn
from torch.optim.swa_utils import AveragedModel

torch.set_num_threads(1)
SEED = 55
EPOCHS = 60
SWA_FROM = 15
DIR = "ignite_ckpt"


class RngState:
    """Lets the global generator travel in a Checkpoint."""

    def state_dict(self):
        return {"torch": torch.get_rng_state()}

    def load_state_dict(self, state):
        torch.set_rng_state(state["torch"])


class Records:
    def __init__(self):
        self.rows = []

    def state_dict(self):
        return {"rows": list(self.rows)}

    def load_state_dict(self, state):
        self.rows = list(state["rows"])


def batches(x, y, size=32):
    perm = torch.randperm(len(x))
    return [(x[i], y[i]) for i in perm.split(size)]


def main():
    torch.manual_seed(SEED)
    x, y = make_moons(1200, noise=0.25, random_state=2)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    xtr, ytr, xte, yte = x[:800], y[:800], x[800:], y[800:]

    model = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(),
                          nn.Linear(64, 2))
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=10, T_mult=2, eta_min=0.005)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=200)
    swa = AveragedModel(model)
    rng, records = RngState(), Records()

    def step(engine, batch):
        model.train()
        xb, yb = batch
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb + 0.05 * torch.randn_like(xb)), yb)
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        return loss.item()

    trainer = Engine(step)
    saver = Checkpoint({"trainer": trainer, "model": model, "opt": opt, "sched": sched, "scaler": scaler,
                        "swa": swa, "rng": rng, "records": records},
                       DiskSaver(DIR, create_dir=True, require_empty=False), n_saved=2,
                       global_step_transform=lambda *_: trainer.state.epoch)
    total = []

    @trainer.on(Events.EPOCH_STARTED)
    def start_epoch(engine):
        total.clear()
        engine.set_data(batches(xtr, ytr))

    @trainer.on(Events.ITERATION_COMPLETED)
    def collect(engine):
        total.append(engine.state.output)

    @trainer.on(Events.EPOCH_COMPLETED)
    def end_epoch(engine):
        sched.step()
        epoch = engine.state.epoch
        if epoch >= SWA_FROM:
            swa.update_parameters(model)
        model.eval()
        with torch.no_grad():
            val = nn.functional.cross_entropy(model(xte), yte).item()
        records.rows.append((epoch, sum(total) / len(total), val, scaler.get_scale()))
        print(f"epoch {epoch} loss {records.rows[-1][1]:.6f} val {val:.6f} scale {scaler.get_scale():.0f}", flush=True)
        if epoch % 3 == 0:
            saver(engine)

    files = [f for f in os.listdir(DIR) if f.endswith(".pt")] if os.path.isdir(DIR) else []
    if files:
        newest = max(files, key=lambda f: int(f.rsplit("_", 1)[1][:-3]))
        Checkpoint.load_objects(saver.to_save, torch.load(os.path.join(DIR, newest), weights_only=False))
        print(f"resuming from {newest}", flush=True)
    n = -(-len(xtr) // 32)
    trainer.run([None] * n, max_epochs=EPOCHS, epoch_length=n)

    swa.eval()
    with torch.no_grad():
        out = swa(xte)
    norm = sum(p.double().pow(2).sum().item() for p in swa.parameters())
    print(f"FINAL averaged {int(swa.n_averaged)} swa_val {nn.functional.cross_entropy(out, yte).item()!r} "
          f"acc {(out.argmax(1) == yte).float().mean().item()!r} last {records.rows[-1]} rows {len(records.rows)} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
