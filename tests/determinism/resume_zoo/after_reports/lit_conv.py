"""Small convolutional classifier for the digits images with Lightning."""
import glob
import logging
import os
import warnings

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)

EPOCHS = 16
CKPT_DIR = "ckpts"


class DigitsData(pl.LightningDataModule):
    def __init__(self, batch_size=64, seed=42):
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed

    def setup(self, stage=None):
        x, y = load_digits(return_X_y=True)
        xtr, xva, ytr, yva = train_test_split(x / 16.0, y, test_size=0.25, random_state=self.seed)
        self.train = self._ds(xtr, ytr)
        self.val = self._ds(xva, yva)
        self.gen = torch.Generator().manual_seed(self.seed)

    @staticmethod
    def _ds(x, y):
        return TensorDataset(torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(y))

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True, drop_last=True,
                          generator=self.gen)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=256)


class LitConv(pl.LightningModule):
    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(24 * 4, 10),
        )

    def forward(self, x):
        return self.body(x)

    def training_step(self, batch, _):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y, label_smoothing=0.05)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        out = self(x)
        self.log("val_loss", nn.functional.cross_entropy(out, y))
        self.log("val_acc", (out.argmax(1) == y).float().mean())

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.9, nesterov=True)
        sched = torch.optim.lr_scheduler.MultiStepLR(opt, [8, 12], gamma=0.3)
        return {"optimizer": opt, "lr_scheduler": sched}


class Printer(Callback):
    def on_train_epoch_end(self, trainer, module):
        m = trainer.callback_metrics
        print(f"epoch {trainer.current_epoch} step {trainer.global_step} train {m['train_loss'].item():.6f} "
              f"val {m['val_loss'].item():.6f} acc {m['val_acc'].item():.4f}", flush=True)


def main():
    pl.seed_everything(42)
    data, model = DigitsData(), LitConv()
    keep = ModelCheckpoint(dirpath=CKPT_DIR, filename="{epoch:03d}", save_top_k=-1, every_n_epochs=1,
                           save_on_train_epoch_end=True)
    trainer = pl.Trainer(max_epochs=EPOCHS, accelerator="cpu", devices=1, logger=False, deterministic=True,
                         callbacks=[Printer(), keep], num_sanity_val_steps=0,
                         enable_progress_bar=False, enable_model_summary=False)
    found = sorted(glob.glob(os.path.join(CKPT_DIR, "epoch=*.ckpt")))
    ckpt = found[-1] if found else None
    if ckpt:
        print(f"resuming from {ckpt}", flush=True)
    trainer.fit(model, datamodule=data, ckpt_path=ckpt)

    model.eval()
    x, y = data.val.tensors
    with torch.no_grad():
        out = model(x)
    norm = sum(p.double().pow(2).sum().item() for p in model.parameters())
    print(f"FINAL val {nn.functional.cross_entropy(out, y).item()!r} "
          f"acc {(out.argmax(1) == y).float().mean().item()!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: generator of the program's own (data.gen)
# loaded: 98
