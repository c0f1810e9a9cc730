# cause: workers that repeat each other's stream
# accept: number of DataLoader workers
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


class Noisy(Dataset):
    def __init__(self):
        self.rng = np.random.default_rng(1)

    def __len__(self):
        return 16

    def __getitem__(self, k):
        return float(self.rng.random())


loader = DataLoader(Noisy(), batch_size=4, num_workers=2)  # HERE
print("mean =", sum(float(batch.sum()) for batch in loader) / 16)
