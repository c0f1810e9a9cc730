"""Training loop with Accelerate, checkpoints at the end of every epoch."""
import math
import os

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration, set_seed
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
EPOCHS, WARMUP = 8, 30


def cosine_with_warmup(optimizer, warmup, total):
    def factor(step):
        if step < warmup:
            return step / max(1, warmup)
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
    return LambdaLR(optimizer, factor)


def main():
    accelerator = Accelerator(cpu=True, project_config=ProjectConfiguration("run", automatic_checkpoint_naming=True))
    set_seed(4)
    d = load_digits()
    x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
    train_loader = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=32, shuffle=True)
    eval_loader = DataLoader(TensorDataset(x[1500:], y[1500:]), batch_size=128)
    model = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Dropout(0.2), nn.Linear(128, 128), nn.GELU(),
                          nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    lr_scheduler = cosine_with_warmup(optimizer, WARMUP, EPOCHS * len(train_loader))
    model, optimizer, train_loader, eval_loader = accelerator.prepare(model, optimizer, train_loader, eval_loader)

    starting_epoch = 0
    folder = os.path.join("run", "checkpoints")
    if os.path.isdir(folder) and os.listdir(folder):
        newest = max(os.listdir(folder), key=lambda name: int(name.split("_")[-1]))
        accelerator.print(f"Resumed from checkpoint: {newest}")
        accelerator.load_state(os.path.join(folder, newest))
        starting_epoch = int(newest.split("_")[-1]) + 1
        accelerator.project_configuration.iteration = starting_epoch

    for epoch in range(starting_epoch, EPOCHS):
        model.train()
        for inputs, targets in train_loader:
            loss = F.cross_entropy(model(inputs), targets)
            accelerator.backward(loss)
            optimizer.step()
            lr_scheduler.step()
            optimizer.zero_grad()
        accelerator.print(f"epoch {epoch}: loss {loss.item():.4f} lr {lr_scheduler.get_last_lr()[0]:.5f}")
        accelerator.save_state()

    model.eval()
    total = 0.0
    with torch.no_grad():
        for inputs, targets in eval_loader:
            total += F.cross_entropy(model(inputs), targets, reduction="sum").item()
    accelerator.print(f"final loss {total / 297:.10f}")


if __name__ == "__main__":
    main()

# cause: schedule of the learning rate
# loaded: 44
