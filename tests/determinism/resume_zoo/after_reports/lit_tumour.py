"""Lightning classifier on the breast cancer data with early stopping and one-cycle learning rate."""
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)
EPOCHS = 14


class Data(L.LightningDataModule):
    def setup(self, stage=None):
        x, y = load_breast_cancer(return_X_y=True)
        x = torch.tensor(StandardScaler().fit_transform(x), dtype=torch.float32)
        y = torch.tensor(y)
        perm = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
        self.train, self.val = (TensorDataset(x[i], y[i]) for i in (perm[:420], perm[420:]))

    def train_dataloader(self):
        sampler = DistributedSampler(self.train, num_replicas=1, rank=0, shuffle=True, seed=1000)
        return DataLoader(self.train, batch_size=16, sampler=sampler)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=64)


class Net(L.LightningModule):
    def __init__(self, lr=5e-3):
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(30, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(),
                                    nn.Linear(32, 2))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self.layers(x), y, label_smoothing=0.05)

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", F.cross_entropy(self.layers(x), y), prog_bar=True)

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=1e-2)
        sched = torch.optim.lr_scheduler.OneCycleLR(opt, self.hparams.lr, total_steps=27 * EPOCHS)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": sched, "interval": "step"}}


if __name__ == "__main__":
    L.seed_everything(33)
    model, dm = Net(), Data()
    early = EarlyStopping("val_loss", patience=5)
    ckpt = ModelCheckpoint("logs", filename="{epoch}", monitor="val_loss", save_last=True,
                           save_on_train_epoch_end=True)
    trainer = L.Trainer(max_epochs=EPOCHS, accelerator="cpu", devices=1, logger=False, callbacks=[early, ckpt],
                        gradient_clip_val=1.0, num_sanity_val_steps=0,
                        enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(model, dm, ckpt_path="last")
    print("best", ckpt.best_model_score.item(), "stopped at", trainer.current_epoch)
    print(f"final loss {trainer.callback_metrics['val_loss'].item():.10f}")

# cause: none
# loaded: 66
