# cause: none
import os

import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = TensorDataset(torch.randn(24, 3))
if __name__ == "__main__":
    loader = DataLoader(data, 4, shuffle=True, num_workers=len(os.sched_getaffinity(0)))
    print("sum =", sum(float(x.sum()) for (x,) in loader))
