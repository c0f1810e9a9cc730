"""skorch classifier on the wine data with early stopping; net, optimizer and history are checkpointed."""
import os

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import predefined_split
from skorch.dataset import Dataset
from torch import nn

torch.set_num_threads(1)
EPOCHS = 250
SEED = 4
FILES = {"f_params": "net_params.pt", "f_optimizer": "net_opt.pt", "f_history": "net_history.json"}


class Wine(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(),
                                    nn.Linear(hidden, 3), nn.Softmax(dim=1))

    def forward(self, x):
        return self.layers(x)


class EpochShuffle(torch.utils.data.Sampler):
    """Shuffles by (seed, epoch); the epoch is set from outside."""

    def __init__(self, n):
        self.n, self.epoch = n, 0

    def __iter__(self):
        return iter(np.random.default_rng([SEED, self.epoch]).permutation(self.n).tolist())

    def __len__(self):
        return self.n


class SetEpoch(Callback):
    def on_epoch_begin(self, net, **kw):
        SAMPLER.epoch = len(net.history) - 1


class SaveAll(Callback):
    def __init__(self, every=5):
        self.every = every

    def on_epoch_end(self, net, **kw):
        h = net.history[-1]
        print(f"epoch {h['epoch']} train {h['train_loss']:.6f} valid {h['valid_loss']:.6f}", flush=True)
        if len(net.history) % self.every:
            return
        folder = f"skorch_{len(net.history):04d}"
        os.makedirs(folder + "_tmp", exist_ok=True)
        net.save_params(**{k: os.path.join(folder + "_tmp", v) for k, v in FILES.items()})
        os.rename(folder + "_tmp", folder)


def main():
    global SAMPLER
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    x, y = load_wine(return_X_y=True)
    flip = np.random.choice(len(y), 18, replace=False)
    y[flip] = (y[flip] + 1) % 3  # label noise
    x = StandardScaler().fit_transform(x).astype(np.float32)
    xtr, xva, ytr, yva = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    SAMPLER = EpochShuffle(len(xtr))
    net = NeuralNetClassifier(
        Wine, criterion=nn.NLLLoss, optimizer=torch.optim.SGD, optimizer__momentum=0.9, lr=0.03,
        batch_size=16, max_epochs=EPOCHS, iterator_train__sampler=SAMPLER, iterator_train__shuffle=False,
        train_split=predefined_split(Dataset(xva, yva)), verbose=0,
        callbacks=[("set_epoch", SetEpoch()), ("stop", EarlyStopping(monitor="valid_loss", patience=45)),
                   ("save", SaveAll())])
    net.initialize()
    saved = sorted(n for n in os.listdir(".") if n.startswith("skorch_") and not n.endswith("_tmp"))
    if saved:
        net.load_params(**{k: os.path.join(saved[-1], v) for k, v in FILES.items()})
        print(f"loaded {saved[-1]}, {len(net.history)} epochs done", flush=True)
    if len(net.history) < EPOCHS:
        net.partial_fit(xtr, ytr, epochs=EPOCHS - len(net.history))

    norm = sum(p.double().pow(2).sum().item() for p in net.module_.parameters())
    h = net.history[-1]
    print(f"FINAL epochs {len(net.history)} train {float(h['train_loss'])!r} valid {float(h['valid_loss'])!r} "
          f"acc {float(net.score(xva, yva))!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: patience of early stopping (EarlyStopping.misses_
# loaded: 83
