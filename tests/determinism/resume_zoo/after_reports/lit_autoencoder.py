"""Lightning auto-encoder on the digits."""
import logging
import warnings

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn, optim, utils

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)
SEED = 15


class LitAutoEncoder(pl.LightningModule):
    def __init__(self, hidden=64, code=6, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, code))
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def training_step(self, batch, batch_idx):
        (x,) = batch
        loss = nn.functional.mse_loss(self(x), x)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        (x,) = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), x))

    def configure_optimizers(self):
        optimizer = optim.Adam(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [optim.lr_scheduler.StepLR(optimizer, 4, 0.7)]


class DigitsData(pl.LightningDataModule):
    def __init__(self, batch_size=32):
        super().__init__()
        self.batch_size = batch_size
        self.generator = torch.Generator().manual_seed(SEED)

    def setup(self, stage):
        x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
        self.train, self.val = utils.data.TensorDataset(x[:1500]), utils.data.TensorDataset(x[1500:])

    def train_dataloader(self):
        return utils.data.DataLoader(self.train, batch_size=self.batch_size, shuffle=True, generator=self.generator)

    def val_dataloader(self):
        return utils.data.DataLoader(self.val, batch_size=297)


def main():
    pl.seed_everything(SEED)
    checkpoint = ModelCheckpoint(dirpath="models", filename="ae-{epoch:02d}", save_last=True, every_n_epochs=1)
    trainer = pl.Trainer(
        max_epochs=12, accelerator="cpu", devices=1, callbacks=[checkpoint], logger=False, num_sanity_val_steps=0,
        enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(LitAutoEncoder(), datamodule=DigitsData(), ckpt_path="last")
    print(f"final loss {trainer.callback_metrics['val_loss'].item():.10f}")


if __name__ == "__main__":
    main()

# cause: generator of the program's own
# loaded: 65
