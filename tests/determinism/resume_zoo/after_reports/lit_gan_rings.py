"""Lightning: small GAN on two rings with manual optimisation, latent noise from an own generator, last.ckpt and top copies."""
import copy
import glob
import logging
import os
import time
import warnings

import lightning as L
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from sklearn.datasets import make_circles
from torch.utils.data import DataLoader, Sampler, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
SEED, EPOCHS, BATCH, LATENT = 12, 6, 64, 8
torch.set_num_threads(1)


class ByEpoch(Sampler):
    def __init__(self, n):
        self.n, self.epoch = n, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.n

    def __iter__(self):
        return iter(np.random.default_rng([SEED, self.epoch]).permutation(self.n).tolist())


def mlp(a, b, h=48):
    return nn.Sequential(nn.Linear(a, h), nn.LeakyReLU(0.2), nn.Linear(h, h), nn.LeakyReLU(0.2), nn.Linear(h, b))


class RingGan(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.gen, self.disc = mlp(LATENT, 2), mlp(2, 1)
        self.gen_avg = copy.deepcopy(self.gen).requires_grad_(False)
        self.noise = torch.Generator().manual_seed(SEED)
        self.balance = 0.0
        self.register_buffer("probe", torch.randn(256, LATENT, generator=torch.Generator().manual_seed(77)))

    def latent(self, n):
        return torch.randn(n, LATENT, generator=self.noise)

    def training_step(self, batch, batch_idx):
        real = batch[0]
        og, od = self.optimizers()
        fake = self.gen(self.latent(len(real)))
        d_loss = F.softplus(-self.disc(real)).mean() + F.softplus(self.disc(fake.detach())).mean()
        od.zero_grad()
        self.manual_backward(d_loss)
        od.step()
        self.balance = 0.95 * self.balance + 0.05 * d_loss.item()
        for _ in range(2 if self.balance < 1.2 else 1):
            g_loss = F.softplus(-self.disc(self.gen(self.latent(len(real))))).mean()
            og.zero_grad()
            self.manual_backward(g_loss)
            og.step()
        with torch.no_grad():
            for a, b in zip(self.gen_avg.parameters(), self.gen.parameters()):
                a.lerp_(b, 0.02)
        self.log_dict({"d_loss": d_loss, "g_loss": g_loss, "balance": self.balance}, on_step=False, on_epoch=True)

    def on_train_epoch_end(self):
        for s in self.lr_schedulers():
            s.step()

    def validation_step(self, batch, batch_idx):
        pts, real = self.gen_avg(self.probe), batch[0]
        d = torch.cdist(pts, real)
        self.log("chamfer", d.min(0).values.mean() + d.min(1).values.mean())

    def configure_optimizers(self):
        og = torch.optim.Adam(self.gen.parameters(), lr=1e-3, betas=(0.5, 0.99))
        od = torch.optim.RMSprop(self.disc.parameters(), lr=1e-3)
        return [og, od], [torch.optim.lr_scheduler.PolynomialLR(o, total_iters=EPOCHS + 4) for o in (og, od)]

    def on_save_checkpoint(self, checkpoint):
        checkpoint["noise"] = self.noise.get_state()
        checkpoint["balance"] = self.balance

    def on_load_checkpoint(self, checkpoint):
        self.noise.set_state(checkpoint["noise"])
        self.balance = checkpoint["balance"]


class Report(Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        m = trainer.callback_metrics
        print(f"{time.strftime('%T')} epoch {trainer.current_epoch} " + " ".join(f"{k} {float(m[k]):.8f}" for k in sorted(m)))


def main():
    L.seed_everything(SEED, verbose=False)
    pts, _ = make_circles(900, noise=0.04, factor=0.5, random_state=1)
    pts = torch.tensor(pts, dtype=torch.float32)
    train = TensorDataset(pts[:700])
    loader = DataLoader(train, batch_size=BATCH, sampler=ByEpoch(len(train)), drop_last=True)
    valid = DataLoader(TensorDataset(pts[700:]), batch_size=300)
    keep = ModelCheckpoint("gan_ckpt", filename="{epoch:02d}", save_top_k=-1, every_n_epochs=1)
    model = RingGan()
    trainer = L.Trainer(max_epochs=EPOCHS, accelerator="cpu", devices=1, callbacks=[Report(), keep], num_sanity_val_steps=0,
                        logger=CSVLogger("logs", name="gan", version=f"{int(time.time() * 1e6)}"),
                        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=5)
    files = sorted(glob.glob("gan_ckpt/epoch=*.ckpt"))
    if files:
        print("resuming", files[-1])
    trainer.fit(model, loader, valid, ckpt_path=files[-1] if files else None, weights_only=False)
    score = float(trainer.callback_metrics["chamfer"])
    print(f"final chamfer {score:.10f} weight_sum {sum(p.double().sum().item() for p in model.parameters()):.10f} balance {model.balance:.10f}")


if __name__ == "__main__":
    main()


# cause: none
# loaded: 119
