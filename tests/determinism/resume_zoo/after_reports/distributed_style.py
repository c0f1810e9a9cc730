"""Single-process version of a distributed training script, with early stopping on the held-out loss."""
import copy
import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

torch.set_num_threads(1)


class EarlyStopper:
    def __init__(self, patience=4, min_delta=1e-3):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.bad, self.weights = float("inf"), 0, None

    def __call__(self, value, model):
        if value < self.best - self.min_delta:
            self.best, self.bad, self.weights = value, 0, copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


def get_loader(rank=0, world=1):
    d = load_digits()
    x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
    train, held = TensorDataset(x[:600], y[:600]), (x[600:], y[600:])
    sampler = DistributedSampler(train, num_replicas=world, rank=rank, shuffle=True, seed=12)
    return DataLoader(train, batch_size=16, sampler=sampler), sampler, held


def main(epochs=25, path="snapshot.pt"):
    torch.manual_seed(12)
    loader, sampler, (xv, yv) = get_loader()
    model = nn.Sequential(spectral_norm(nn.Linear(64, 128)), nn.ReLU(), nn.Dropout(0.2), spectral_norm(nn.Linear(128, 64)),
                          nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    stopper, first, stop = EarlyStopper(), 0, False
    if os.path.exists(path):
        snap = torch.load(path)
        model.load_state_dict(snap["MODEL_STATE"])
        optimizer.load_state_dict(snap["OPTIMIZER"])
        stopper.__dict__.update(snap["STOPPER"])
        first, stop = snap["EPOCHS_RUN"], snap["STOP"]
        torch.set_rng_state(snap["RNG"])
        print(f"Resuming training from snapshot at Epoch {first}")
    for epoch in range(first, epochs):
        if stop:
            break
        sampler.set_epoch(epoch)
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            F.cross_entropy(model(xb), yb).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val = F.cross_entropy(model(xv), yv).item()
        stop = stopper(val, model)
        print(f"[CPU0] Epoch {epoch} | val {val:.4f} | best {stopper.best:.4f}")
        torch.save({"MODEL_STATE": model.state_dict(), "OPTIMIZER": optimizer.state_dict(), "STOPPER": vars(stopper),
                    "EPOCHS_RUN": epoch + 1, "STOP": stop, "RNG": torch.get_rng_state()}, path)
    model.load_state_dict(stopper.weights)
    model.eval()
    with torch.no_grad():
        print(f"final loss {F.cross_entropy(model(xv), yv).item():.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 45
