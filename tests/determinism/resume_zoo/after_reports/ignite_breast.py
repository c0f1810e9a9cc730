"""Ignite training loop with early stopping on breast_cancer."""
import json
import os
import warnings

import numpy as np
import torch
from ignite.engine import Engine, Events, create_supervised_evaluator
from ignite.handlers import Checkpoint, DiskSaver, EarlyStopping
from ignite.metrics import Accuracy, Loss
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
MAX_EPOCHS = 60
CKPT_DIR = "ignite_ckpt"


def data():
    x, y = load_breast_cancer(return_X_y=True)
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.4, random_state=9)
    return [torch.from_numpy(a) for a in (x_tr, x_te, y_tr, y_te)]


def newest(folder):
    if not os.path.isdir(folder):
        return None
    files = [f for f in os.listdir(folder) if f.endswith(".pt")]
    files.sort(key=lambda f: int(f.rsplit("_", 1)[1][:-3]))
    return os.path.join(folder, files[-1]) if files else None


def main():
    torch.manual_seed(15)
    x_tr, x_te, y_tr, y_te = data()
    test_loader = DataLoader(TensorDataset(x_te, y_te), batch_size=128)
    model = nn.Sequential(nn.Linear(30, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
    opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    lr = torch.optim.lr_scheduler.ExponentialLR(opt, 0.97)
    criterion = nn.CrossEntropyLoss()

    def step(engine, batch):
        model.train()
        x, y = batch
        loss = criterion(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss.item()

    trainer = Engine(step)
    evaluator = create_supervised_evaluator(model, {"acc": Accuracy(), "nll": Loss(criterion)})

    def batches(epoch):
        g = torch.Generator().manual_seed(500 + epoch)
        order = torch.randperm(len(x_tr), generator=g)
        return [(x_tr[i], y_tr[i]) for i in order.split(16)]

    stopper = EarlyStopping(patience=14, score_function=lambda e: -e.state.metrics["nll"], trainer=trainer)
    evaluator.add_event_handler(Events.COMPLETED, stopper)

    @trainer.on(Events.EPOCH_STARTED)
    def reshuffle(engine):
        engine.state.loss_sum = 0.0
        engine.set_data(batches(engine.state.epoch))

    @trainer.on(Events.ITERATION_COMPLETED)
    def accumulate(engine):
        engine.state.loss_sum += engine.state.output

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate(engine):
        lr.step()
        evaluator.run(test_loader)
        m = evaluator.state.metrics
        print(f"epoch {engine.state.epoch:2d} train {engine.state.loss_sum:.4f} "
              f"nll {m['nll']:.5f} acc {m['acc']:.4f}")

    to_save = {"trainer": trainer, "model": model, "opt": opt, "lr": lr}
    saver = Checkpoint(to_save, DiskSaver(CKPT_DIR, create_dir=True, require_empty=False), n_saved=2,
                       global_step_transform=lambda e, _: e.state.epoch)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, saver)

    path = newest(CKPT_DIR)
    if path:
        Checkpoint.load_objects(to_load=to_save, checkpoint=torch.load(path, weights_only=False))
        print("loaded", path, "epoch", trainer.state.epoch)
    trainer.run(batches(1), max_epochs=MAX_EPOCHS, epoch_length=len(batches(1)))

    evaluator.remove_event_handler(stopper, Events.COMPLETED)
    evaluator.run(test_loader)
    m = evaluator.state.metrics
    print(f"final nll {m['nll']:.6f} acc {m['acc']:.5f} stopped after epoch {trainer.state.epoch}")
    torch.save(model.state_dict(), "ignite_final.pt")
    with open("ignite_result.json", "w") as fh:
        json.dump({"epochs": trainer.state.epoch, **m}, fh)


if __name__ == "__main__":
    main()

# cause: patience of early stopping (stopper.counter
# loaded: 90
