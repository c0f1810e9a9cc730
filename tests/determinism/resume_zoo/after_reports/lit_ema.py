"""Lightning classifier with an averaged copy of the weights used for validation."""
import copy
import csv
import logging
import os
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)


class Permuted(Dataset):
    """Map-style view of the data whose row order is a function of the epoch."""

    def __init__(self, x, y):
        self.x, self.y, self.perm = x, y, np.arange(len(x))

    def arrange(self, epoch):
        self.perm = np.random.default_rng(epoch + 1234).permutation(len(self.x))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        j = self.perm[i]
        return self.x[j], self.y[j]


class WeightAverage(Callback):
    def __init__(self, decay=0.98):
        self.decay, self.shadow, self.seen = decay, None, 0

    def on_fit_start(self, trainer, module):
        if self.shadow is None:
            self.shadow = copy.deepcopy(module.net.state_dict())

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.seen += 1
        d = min(self.decay, self.seen / (self.seen + 9))
        for k, v in module.net.state_dict().items():
            if v.is_floating_point():
                self.shadow[k].mul_(d).add_(v, alpha=1 - d)
            else:
                self.shadow[k].copy_(v)

    def state_dict(self):
        return {"shadow": self.shadow, "seen": self.seen}

    def load_state_dict(self, state):
        self.shadow, self.seen = copy.deepcopy(state["shadow"]), state["seen"]


class EpochData(Callback):
    def __init__(self, data):
        self.data = data

    def on_train_epoch_start(self, trainer, module):
        self.data.arrange(trainer.current_epoch)


class Classifier(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 80), nn.BatchNorm1d(80), nn.ReLU(), nn.Dropout(0.3), nn.Linear(80, 10))
        self.losses = []

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self.net(x), y)
        self.losses.append(loss.detach())
        return loss

    def on_train_epoch_end(self):
        mean = torch.stack(self.losses).mean().item()
        self.losses = []
        print(f"epoch {self.current_epoch:2d} loss {mean:.5f}")
        with open("lit_losses.csv", "a", newline="") as fh:
            csv.writer(fh).writerow([self.current_epoch, self.global_step, mean])

    def on_save_checkpoint(self, checkpoint):
        checkpoint["cpu_rng"] = torch.get_rng_state()

    def on_load_checkpoint(self, checkpoint):
        self._rng = checkpoint["cpu_rng"]

    def on_train_start(self):
        if getattr(self, "_rng", None) is not None:
            torch.set_rng_state(self._rng)

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=3e-3)
        sched = torch.optim.lr_scheduler.OneCycleLR(opt, 6e-3, total_steps=41 * 12)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": sched, "interval": "step"}}


def main():
    L.seed_everything(1, verbose=False)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    data = Permuted(x[:1312], y[:1312])
    model, average = Classifier(), WeightAverage()
    loader = DataLoader(data, batch_size=32, generator=torch.Generator())
    ckpt = ModelCheckpoint("lit_ckpt", save_last=True, save_top_k=2, monitor="step", mode="max",
                           every_n_epochs=2, save_on_train_epoch_end=True)
    trainer = L.Trainer(max_epochs=12, accelerator="cpu", logger=False, enable_progress_bar=False,
                        enable_model_summary=False, callbacks=[EpochData(data), average, ckpt])
    path = "lit_ckpt/last.ckpt"
    trainer.fit(model, loader, ckpt_path=path if os.path.exists(path) else None)

    model.net.load_state_dict(average.shadow)
    model.eval()
    with torch.no_grad():
        logits = model.net(x[1312:])
    acc = (logits.argmax(1) == y[1312:]).float().mean().item()
    print(f"final averaged acc {acc:.6f} loss {F.cross_entropy(logits, y[1312:]).item():.7f} updates {average.seen}")
    torch.save(average.shadow, "lit_average.pt")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
