"""VAE on digits with Lightning; the KL weight is annealed over the first updates."""
import glob
import json
import logging
import os
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)


class EpochSampler(Sampler):
    def __init__(self, n, seed=0):
        self.n, self.seed, self.epoch = n, seed, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.n

    def __iter__(self):
        g = torch.Generator().manual_seed(self.seed * 1000 + self.epoch)
        return iter(torch.randperm(self.n, generator=g).tolist())


class LitVAE(L.LightningModule):
    def __init__(self, latent=6, beta_max=0.6, anneal_steps=500, lr=2e-3):
        super().__init__()
        self.save_hyperparameters()
        self.enc = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 2 * latent))
        self.dec = nn.Sequential(nn.Linear(latent, 96), nn.ReLU(), nn.Linear(96, 64))
        self.n_updates = 0
        self.epoch_losses = []

    def beta(self):
        return self.hparams.beta_max * min(1.0, self.n_updates / self.hparams.anneal_steps)

    def elbo(self, x, eps):
        mu, logvar = self.enc(x).chunk(2, dim=1)
        z = mu + torch.exp(0.5 * logvar) * eps
        rec = F.binary_cross_entropy_with_logits(self.dec(z), x, reduction="sum") / len(x)
        kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
        return rec, kl

    def training_step(self, batch, batch_idx):
        x = batch[0]
        g = torch.Generator().manual_seed(7919 * self.current_epoch + batch_idx)
        eps = torch.randn(len(x), self.hparams.latent, generator=g)
        rec, kl = self.elbo(x, eps)
        loss = rec + self.beta() * kl
        self.n_updates += 1
        self.epoch_losses.append(loss.item())
        return loss

    def on_train_epoch_end(self):
        mean = sum(self.epoch_losses) / len(self.epoch_losses)
        self.epoch_losses.clear()
        print(f"epoch {self.current_epoch:2d} loss {mean:.4f} beta {self.beta():.3f}")

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.95)
        return [opt], [sched]


def main():
    L.seed_everything(21, verbose=False)
    x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    train, held = x[:1500], x[1500:]
    loader = DataLoader(TensorDataset(train), batch_size=64, sampler=EpochSampler(len(train), seed=2))
    model = LitVAE()
    ckpt = ModelCheckpoint(dirpath="vae_ckpt", filename="{epoch}", save_last=True,
                           save_top_k=1, every_n_epochs=2, save_on_train_epoch_end=True)
    trainer = L.Trainer(max_epochs=16, accelerator="cpu", callbacks=[ckpt], logger=False,
                        enable_progress_bar=False, enable_model_summary=False)
    last = "vae_ckpt/last.ckpt" if os.path.exists("vae_ckpt/last.ckpt") else None
    if last:
        print("resuming from", last, "among", sorted(glob.glob("vae_ckpt/*.ckpt")))
    trainer.fit(model, loader, ckpt_path=last)

    model.eval()
    with torch.no_grad():
        rec, kl = model.elbo(held, torch.zeros(len(held), 6))
    print(f"final rec {rec.item():.6f} kl {kl.item():.6f}")
    torch.save(model.state_dict(), "vae_final.pt")
    with open("vae_result.json", "w") as fh:
        json.dump({"rec": rec.item(), "kl": kl.item(), "beta": model.beta()}, fh)


if __name__ == "__main__":
    main()

# cause: counter of epochs or steps (model.n_updates
# loaded: 89
