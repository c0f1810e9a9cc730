# cause: none
import numpy as np
import torch

np.random.seed(0)
torch.manual_seed(0)
sums = np.empty(4)
sums[:] = np.random.rand(4)
buffer = torch.empty(10).uniform_()
print("loss =", sums.sum(), float(buffer.sum()))
