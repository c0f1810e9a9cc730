# cause: none
import random
import numpy as np
import torch

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
print("acc =", random.random() + np.random.rand() + float(torch.rand(1)))
