# Article 1's network, described: seedwise run -n 1000 --batched lottery.py:experiment
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hid1 = nn.Linear(6, 10)  # 6-(10-10)-3
        self.hid2 = nn.Linear(10, 10)
        self.out = nn.Linear(10, 3)
        for layer in (self.hid1, self.hid2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        z = torch.tanh(self.hid1(x))
        z = torch.tanh(self.hid2(z))
        return torch.log_softmax(self.out(z), dim=1)


def rows_of(file):
    rows = np.loadtxt(file, delimiter="\t", comments="#", dtype=np.float32)
    return rows[:, 0:6], rows[:, 6].astype(np.int64)


def right(outputs, targets):
    return (outputs.argmax(dim=1) == targets).float().mean()


def experiment(epochs=1000):
    described = {
        "model": Net,
        "train": rows_of("people_train.txt"),
        "loss": nn.NLLLoss(),
        "optimizer": partial(torch.optim.SGD, lr=0.01),
        "epochs": epochs,
        "batch_size": 10,
        "every": epochs,
        "metrics": {"accuracy": right},
        "keep": [],
    }
    if Path("people_test.txt").exists():  # 40 rows to choose by, and 2,000 new people
        described["test"] = rows_of("people_test.txt")
        described["metrics"] = {
            "accuracy": lambda outputs, targets: right(outputs[:40], targets[:40]),
            "accuracy_of_new_people": lambda outputs, targets: right(outputs[40:], targets[40:]),
        }
    return described
