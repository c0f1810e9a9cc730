"""Accelerate training loop: transformer-ish classifier over rows of digit images."""
import json
import os
import warnings

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration, set_seed
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
torch.set_num_threads(1)

EPOCHS = 8
BATCH = 48
BASE_LR = 2e-3
PROJECT = "acc_project"


class RowTransformer(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.inp = nn.Linear(8, d)
        self.pos = nn.Parameter(torch.randn(8, d) * 0.02)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(d, 10)

    def forward(self, x):
        return self.head(self.encoder(self.inp(x) + self.pos).mean(1))


class Progress:
    def __init__(self):
        self.epoch, self.curve = 0, []

    def state_dict(self):
        return {"epoch": self.epoch, "curve": list(self.curve)}

    def load_state_dict(self, state):
        self.epoch, self.curve = state["epoch"], list(state["curve"])


def get_loaders():
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x / 16.0, dtype=torch.float32).view(-1, 8, 8)
    y = torch.tensor(y)
    test = TensorDataset(x[1248:], y[1248:])
    return (x[:1248], y[:1248]), DataLoader(test, batch_size=256)


def epoch_loader(x, y, epoch):
    order = torch.from_numpy(np.random.default_rng([3, epoch]).permutation(len(x)))
    return DataLoader(TensorDataset(x[order], y[order]), batch_size=BATCH, shuffle=False)


def evaluate(accelerator, model, loader):
    model.eval()
    hits, total, loss = 0, 0, 0.0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            loss += nn.functional.cross_entropy(logits, y, reduction="sum").item()
            hits += (logits.argmax(1) == y).sum().item()
            total += len(y)
    model.train()
    return loss / total, hits / total


def latest_folder(root):
    base = os.path.join(root, "checkpoints")
    if not os.path.isdir(base):
        return None
    names = sorted(os.listdir(base), key=lambda n: int(n.split("_")[1]))
    return os.path.join(base, names[-1]) if names else None


def main():
    set_seed(27)
    config = ProjectConfiguration(project_dir=PROJECT, automatic_checkpoint_naming=True, total_limit=2)
    accelerator = Accelerator(cpu=True, project_config=config)
    (x, y), test_loader = get_loaders()
    model = RowTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=BASE_LR, weight_decay=0.01)
    total = EPOCHS * (len(x) // BATCH)
    warmup = total // 10
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: s / warmup if s < warmup else max(0.02, (total - s) / (total - warmup)))
    progress = Progress()
    model, optimizer, test_loader = accelerator.prepare(model, optimizer, test_loader)
    accelerator.register_for_checkpointing(progress)

    folder = latest_folder(PROJECT)
    if folder is not None:
        accelerator.load_state(folder)
        accelerator.project_configuration.iteration = int(folder.rsplit("_", 1)[1]) + 1
        accelerator.print("loaded", folder, "epoch", progress.epoch)

    while progress.epoch < EPOCHS:
        losses = []
        for xb, yb in epoch_loader(x, y, progress.epoch):
            loss = nn.functional.cross_entropy(model(xb), yb)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        progress.epoch += 1
        test_loss, acc = evaluate(accelerator, model, test_loader)
        progress.curve.append([float(np.mean(losses)), test_loss, acc])
        lr = optimizer.param_groups[0]["lr"]
        accelerator.print(f"epoch {progress.epoch} loss {np.mean(losses):.4f} test {test_loss:.4f} acc {acc:.4f} lr {lr:.6f}")
        accelerator.save_state()

    print(f"final test_loss {progress.curve[-1][1]:.7f} acc {progress.curve[-1][2]:.5f}")
    torch.save(accelerator.unwrap_model(model).state_dict(), "acc_final.pt")
    with open("acc_curve.json", "w") as fh:
        json.dump(progress.curve, fh)


if __name__ == "__main__":
    main()

# cause: schedule of the learning rate
# loaded: 98
