"""Ignite: small noisy classification problem with early stopping and a checkpoint per epoch."""

import os
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torch.nn as nn
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from ignite.handlers import Checkpoint, DiskSaver, EarlyStopping
from ignite.metrics import Accuracy, Loss
from sklearn.datasets import make_classification
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)
torch.set_num_threads(1)
MAX_EPOCHS = 40
FOLDER = "ignite_ckpt"

X, y = make_classification(n_samples=1600, n_features=30, n_informative=8, n_classes=4, flip_y=0.25, random_state=6)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y)
train_loader = DataLoader(TensorDataset(X[:800], y[:800]), batch_size=16, shuffle=False)
val_loader = DataLoader(TensorDataset(X[800:], y[800:]), batch_size=400)

model = nn.Sequential(nn.Linear(30, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
lr_scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.93)
criterion = nn.CrossEntropyLoss()

trainer = create_supervised_trainer(model, optimizer, criterion)
evaluator = create_supervised_evaluator(model, metrics={"acc": Accuracy(), "nll": Loss(criterion)})
stopper = EarlyStopping(patience=7, score_function=lambda e: -e.state.metrics["nll"], trainer=trainer)
evaluator.add_event_handler(Events.COMPLETED, stopper)

to_save = {"trainer": trainer, "model": model, "optimizer": optimizer, "lr_scheduler": lr_scheduler}
saver = Checkpoint(
    to_save,
    DiskSaver(FOLDER, create_dir=True, require_empty=False, atomic=True),
    n_saved=5,
    global_step_transform=lambda *_: trainer.state.epoch,
    filename_prefix="train",
)


@trainer.on(Events.EPOCH_COMPLETED)
def finish_epoch(engine):
    lr_scheduler.step()
    evaluator.run(val_loader)
    m = evaluator.state.metrics
    print(
        f"[{time.strftime('%X')}] epoch {engine.state.epoch} loss {engine.state.output:.6f} val nll {m['nll']:.6f} acc {m['acc']:.4f}"
    )
    saver(engine)
    print("saved", saver.last_checkpoint, flush=True)
    time.sleep(0.1)


if os.path.isdir(FOLDER):
    names = [n for n in os.listdir(FOLDER) if n.startswith("train_checkpoint_") and n.endswith(".pt")]
    if names:
        newest = max(names, key=lambda n: int(n.rsplit("_", 1)[1][:-3]))
        Checkpoint.load_objects(
            to_load=to_save, checkpoint=torch.load(os.path.join(FOLDER, newest), weights_only=False)
        )
        print("restored", newest, "epoch", trainer.state.epoch, flush=True)

trainer.run(train_loader, max_epochs=MAX_EPOCHS)
evaluator.run(val_loader)
torch.save(model.state_dict(), "model.pt")
print(
    f"FINAL epochs={trainer.state.epoch} nll={evaluator.state.metrics['nll']:.8f} acc={evaluator.state.metrics['acc']:.6f}"
)

# cause: patience of early stopping
# loaded: 65
