"""Momentum-contrast on the digits with Lightning."""
import copy
import logging
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


class EpochShuffle(Sampler):
    def __init__(self, n):
        self.n, self.epoch = n, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        g = torch.Generator().manual_seed(100 + self.epoch)
        return iter(torch.randperm(self.n, generator=g).tolist())

    def __len__(self):
        return self.n


def encoder():
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32))


class MoCo(L.LightningModule):
    def __init__(self, queue_size=512, momentum=0.99, temperature=0.1):
        super().__init__()
        self.encoder_q = encoder()
        self.encoder_k = copy.deepcopy(self.encoder_q)
        self.encoder_k.requires_grad_(False)
        self.momentum, self.temperature = momentum, temperature
        self.queue = F.normalize(torch.randn(queue_size, 32), dim=1)
        self.queue_ptr = 0

    @torch.no_grad()
    def enqueue(self, keys):
        pos = (self.queue_ptr + torch.arange(len(keys))) % len(self.queue)
        self.queue[pos] = keys
        self.queue_ptr = (self.queue_ptr + len(keys)) % len(self.queue)

    def training_step(self, batch, batch_idx):
        (x,) = batch
        g = torch.Generator().manual_seed(10_000 * self.current_epoch + batch_idx)
        a = x + 0.1 * torch.randn(x.shape, generator=g)
        b = x + 0.1 * torch.randn(x.shape, generator=g)
        with torch.no_grad():
            for pq, pk in zip(self.encoder_q.parameters(), self.encoder_k.parameters()):
                pk.mul_(self.momentum).add_(pq, alpha=1 - self.momentum)
            k = F.normalize(self.encoder_k(b), dim=1)
        q = F.normalize(self.encoder_q(a), dim=1)
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.clone().T], 1) / self.temperature
        loss = F.cross_entropy(logits, torch.zeros(len(x), dtype=torch.long))
        self.enqueue(k)
        self.final = loss.item()
        return loss

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        return [opt], [torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10)]


L.seed_everything(7)
x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
loader = DataLoader(TensorDataset(x), batch_size=64, sampler=EpochShuffle(len(x)), drop_last=True)
model = MoCo()
ckpt = ModelCheckpoint("checkpoints", save_last=True, every_n_epochs=1, save_on_train_epoch_end=True)
trainer = L.Trainer(max_epochs=10, accelerator="cpu", devices=1, logger=False, callbacks=[ckpt],
                    enable_progress_bar=False, enable_model_summary=False)
trainer.fit(model, loader, ckpt_path="last")
print(f"final loss {model.final:.10f}")

# cause: replay memory (model.queue
# loaded: 82
