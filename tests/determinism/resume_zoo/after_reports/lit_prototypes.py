"""Lightning: prototype classifier with running class means and class-balanced weights."""
import logging
import os
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)


class SeedNoise(Callback):
    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        torch.manual_seed(5000 + trainer.global_step)


class ProtoNet(L.LightningModule):
    def __init__(self, classes=10, dim=16):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, dim))
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.centers = torch.zeros(classes, dim)
        self.counts = [0] * classes

    def on_save_checkpoint(self, checkpoint):
        checkpoint["proto"] = {"centers": self.centers, "counts": list(self.counts)}

    def on_load_checkpoint(self, checkpoint):
        self.centers = checkpoint["proto"]["centers"]
        self.counts = list(checkpoint["proto"]["counts"])

    def logits(self, z):
        return -self.scale * torch.cdist(z, self.centers) ** 2

    def training_step(self, batch, batch_idx):
        x, y = batch
        z = self.net(x + 0.1 * torch.randn_like(x))
        with torch.no_grad():
            for c in y.unique().tolist():
                self.counts[c] += int((y == c).sum())
                self.centers[c].lerp_(z[y == c].mean(0), 0.1)
        weight = torch.tensor([1.0 / (1 + n) for n in self.counts])
        loss = F.cross_entropy(self.logits(z), y, weight=weight / weight.sum() * len(weight))
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


def main():
    L.seed_everything(50)
    d = load_digits()
    data = TensorDataset(torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target))
    loader = DataLoader(data, batch_size=64)
    model = ProtoNet()
    saver = ModelCheckpoint("proto", filename="{epoch:02d}", save_top_k=-1, every_n_epochs=1)
    trainer = L.Trainer(max_epochs=9, accelerator="cpu", devices=1, logger=False, enable_progress_bar=False,
                        enable_model_summary=False, callbacks=[SeedNoise(), saver])
    files = sorted(os.listdir("proto")) if os.path.isdir("proto") else []
    trainer.fit(model, loader, ckpt_path=os.path.join("proto", files[-1]) if files else None)
    model.eval()
    with torch.no_grad():
        x, y = data.tensors
        print(f"final loss {F.cross_entropy(model.logits(model.net(x)), y).item():.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 68
