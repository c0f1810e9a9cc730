"""skorch classifier; own callback writes everything into one file per epoch and continues from the newest."""

import glob
import os
import time

import numpy as np
import torch
import torch.nn as nn
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch.utils.data import TensorDataset

SEED, EPOCHS = 50, 20
torch.manual_seed(SEED)
np.random.seed(SEED)
torch.set_num_threads(1)
X, y = load_wine(return_X_y=True)
rng = np.random.RandomState(1)
rows = rng.permutation(np.repeat(np.arange(len(X)), 6))
X = StandardScaler().fit_transform(X)[rows] + rng.normal(scale=0.7, size=(len(rows), X.shape[1]))
X, y = X.astype("float32"), y[rows].astype("int64")
n = 800
valid = TensorDataset(torch.from_numpy(X[n:]), torch.from_numpy(y[n:]))


class MLP(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.seq = nn.Sequential(
            nn.Linear(13, hidden),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(hidden, 3),
        )

    def forward(self, x):
        return self.seq(x)


class Snapshot(Callback):
    def on_epoch_end(self, net, **kw):
        e = len(net.history)
        path = f"snap_{e:03d}.pt"
        torch.save(
            {
                "epoch": e,
                "module": net.module_.state_dict(),
                "optimizer": net.optimizer_.state_dict(),
                "history": net.history.to_list(),
                "torch": torch.get_rng_state(),
                "numpy": np.random.get_state(),
            },
            path + ".tmp",
        )
        os.replace(path + ".tmp", path)
        print(
            f"{time.strftime('%X')} epoch {e} train {net.history[-1, 'train_loss']:.6f} valid {net.history[-1, 'valid_loss']:.6f} saved {path}",
            flush=True,
        )
        time.sleep(0.1)


net = NeuralNetClassifier(
    MLP,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=5e-3,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=predefined_split(valid),
    verbose=0,
    callbacks=[("snapshot", Snapshot())],
)
net.initialize()
snaps = sorted(glob.glob("snap_*.pt"))
if snaps:
    s = torch.load(snaps[-1], weights_only=False)
    net.module_.load_state_dict(s["module"])
    net.optimizer_.load_state_dict(s["optimizer"])
    net.history.extend(s["history"])
    torch.set_rng_state(s["torch"])
    np.random.set_state(s["numpy"])
    print("loaded", snaps[-1], "with", len(net.history), "epochs", flush=True)
net.partial_fit(X[:n], y[:n], epochs=EPOCHS - len(net.history))
net.save_params(f_params="final_params.pt")
w = sum(p.double().abs().sum().item() for p in net.module_.parameters())
print(
    f"FINAL valid_loss={net.history[-1, 'valid_loss']:.9f} best={min(net.history[:, 'valid_loss']):.9f} epochs={len(net.history)} weight_sum={w:.8f}"
)

# cause: none
# loaded: 84
