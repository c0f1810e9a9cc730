"""Ignite: digits classifier with step decay of the learning rate, training checkpoint every other epoch."""
import glob
import os
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torch.nn as nn
import torch.nn.functional as F
from ignite.engine import Engine, Events, create_supervised_evaluator
from ignite.handlers import Checkpoint, DiskSaver
from ignite.metrics import Accuracy, Loss, RunningAverage
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Sampler, TensorDataset

SEED, EPOCHS, BATCH = 44, 12, 64
torch.set_num_threads(1)
torch.manual_seed(SEED)

x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x, dtype=torch.float32) / 16, torch.tensor(y)
perm = torch.randperm(len(x), generator=torch.Generator().manual_seed(2))
train = TensorDataset(x[perm[:1300]], y[perm[:1300]])
valid = TensorDataset(x[perm[1300:]], y[perm[1300:]])


class EpochOrder(Sampler):
    def __init__(self, n):
        self.n, self.epoch = n, 0

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter(torch.randperm(self.n, generator=torch.Generator().manual_seed(SEED + self.epoch)).tolist())


sampler = EpochOrder(len(train))
train_loader = DataLoader(train, batch_size=BATCH, sampler=sampler)
valid_loader = DataLoader(valid, batch_size=256)
model = nn.Sequential(nn.Linear(64, 96), nn.LayerNorm(96), nn.SiLU(), nn.Linear(96, 64), nn.SiLU(), nn.Linear(64, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.6)


def update(engine, batch):
    model.train()
    a, b = batch
    loss = F.cross_entropy(model(a), b)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
    return loss.item()


trainer = Engine(update)
RunningAverage(output_transform=lambda v: v).attach(trainer, "avg_loss")
evaluator = create_supervised_evaluator(model, {"acc": Accuracy(), "loss": Loss(F.cross_entropy)})
to_save = {"trainer": trainer, "model": model, "optimizer": optimizer, "scheduler": scheduler}
checkpointer = Checkpoint(to_save, DiskSaver("ignite_out", create_dir=True, require_empty=False), n_saved=3,
                          global_step_transform=lambda e, name: e.state.epoch, filename_pattern="{name}_{global_step:03d}.pt")
best = Checkpoint({"model": model}, DiskSaver("ignite_best", create_dir=True, require_empty=False), n_saved=1,
                  score_name="acc", score_function=lambda e: e.state.metrics["acc"],
                  global_step_transform=lambda e, name: trainer.state.epoch)


@trainer.on(Events.EPOCH_STARTED)
def set_order(engine):
    sampler.epoch = engine.state.epoch


trainer.add_event_handler(Events.EPOCH_COMPLETED(every=2), checkpointer)


@trainer.on(Events.EPOCH_COMPLETED)
def decay(engine):
    engine.state.lr = optimizer.param_groups[0]["lr"]
    scheduler.step()


@trainer.on(Events.EPOCH_COMPLETED)
def validate(engine):
    evaluator.run(valid_loader)
    m = evaluator.state.metrics
    line = (f"epoch {engine.state.epoch} avg_loss {engine.state.metrics['avg_loss']:.8f} val_loss {m['loss']:.10f} "
            f"val_acc {m['acc']:.4f} lr {engine.state.lr:.8f}")
    print(line)
    with open("train.log", "a") as fh:
        fh.write(f"{time.strftime('%F %T')} {line}\n")


evaluator.add_event_handler(Events.COMPLETED, best)

files = sorted(glob.glob("ignite_out/checkpoint_*.pt"))
if files:
    print("resume from", files[-1])
    Checkpoint.load_objects(to_save, torch.load(files[-1], weights_only=False))
    for old in files[:-3]:
        os.remove(old)

trainer.run(train_loader, max_epochs=EPOCHS)
m = evaluator.state.metrics
print(f"final val_loss {m['loss']:.10f} val_acc {m['acc']:.6f} weight_sum {sum(p.double().sum().item() for p in model.parameters()):.10f}")


# cause: schedule of the learning rate
# loaded: 99
