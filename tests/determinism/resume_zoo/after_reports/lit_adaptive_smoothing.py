"""Lightning: classifier with label smoothing that adapts to the confidence; early stopping, best and last files."""

import glob
import logging
import os
import warnings

import lightning as L
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, Sampler, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
SEED = 6
EPOCHS = 8
torch.set_num_threads(1)
L.seed_everything(SEED, verbose=False)


class EpochSampler(Sampler):
    def __init__(self, n, seed):
        self.n, self.seed, self.epoch = n, seed, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.n

    def __iter__(self):
        g = torch.Generator().manual_seed(self.seed * 1000 + self.epoch)
        return iter(torch.randperm(self.n, generator=g).tolist())


def data():
    g = torch.Generator().manual_seed(11)
    centers = torch.randn(6, 20, generator=g) * 1.2
    y = torch.randint(0, 6, (1800,), generator=g)
    x = centers[y] + torch.randn(1800, 20, generator=g)
    noisy = y.clone()
    flip = torch.rand(1800, generator=g) < 0.25
    flip[1400:] = False
    noisy[flip] = torch.randint(0, 6, (int(flip.sum()),), generator=g)
    return TensorDataset(x[:1400], noisy[:1400]), TensorDataset(x[1400:], y[1400:])


class Smoothed(L.LightningModule):
    def __init__(self, lr=2e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6)
        )
        self.confidence = 0.2
        self.seen = 0

    def on_save_checkpoint(self, checkpoint):
        checkpoint["smoothing"] = {"confidence": self.confidence, "seen": self.seen}

    def on_load_checkpoint(self, checkpoint):
        self.confidence = checkpoint["smoothing"]["confidence"]
        self.seen = checkpoint["smoothing"]["seen"]

    def training_step(self, batch, batch_idx):
        x, y = batch
        out = self.net(x)
        self.seen += len(x)
        self.confidence = 0.99 * self.confidence + 0.01 * out.detach().softmax(1).max(1).values.mean().item()
        loss = F.cross_entropy(out, y, label_smoothing=min(0.2, 0.25 * self.confidence))
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        self.log("confidence", self.confidence, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        out = self.net(x)
        self.log("val_loss", F.cross_entropy(out, y))
        self.log("val_acc", (out.argmax(1) == y).float().mean())

    def on_train_epoch_end(self):
        m = self.trainer.callback_metrics
        print(
            f"epoch {self.current_epoch}: " + " ".join(f"{k}={float(v):.6f}" for k, v in sorted(m.items())), flush=True
        )

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS)
        return {"optimizer": opt, "lr_scheduler": sch}


train, val = data()
train_dl = DataLoader(train, batch_size=20, sampler=EpochSampler(len(train), SEED))
val_dl = DataLoader(val, batch_size=400)

model = Smoothed()
trainer = L.Trainer(
    max_epochs=EPOCHS,
    accelerator="cpu",
    devices=1,
    logger=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    num_sanity_val_steps=0,
    gradient_clip_val=1.0,
    callbacks=[
        EarlyStopping("val_loss", patience=5),
        ModelCheckpoint(
            dirpath="models", filename="{epoch:02d}-{val_loss:.4f}", monitor="val_loss", save_top_k=2, save_last=True
        ),
    ],
)
files = sorted(glob.glob("models/*.ckpt"), key=os.path.getmtime)
last = files[-1] if files else None
if last:
    print("resuming from", last, flush=True)
trainer.fit(model, train_dl, val_dl, ckpt_path=last, weights_only=False)
res = trainer.validate(model, val_dl, verbose=False)[0]
w = sum(p.double().abs().sum().item() for p in model.parameters())
print(
    f"FINAL val_loss={res['val_loss']:.8f} val_acc={res['val_acc']:.6f} step={trainer.global_step} seen={model.seen} weight_sum={w:.8f}"
)

# cause: none
# loaded: 120
