# cause: none
import random
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


def start(worker):
    seed = torch.initial_seed() % 2**32
    np.random.seed(seed)
    random.seed(seed)


class Noisy(Dataset):
    def __init__(self):
        self.rng = np.random.default_rng(3)
        self.order = self.rng.permutation(16)

    def __len__(self):
        return 16

    def __getitem__(self, k):
        return float(self.order[k] + np.random.rand() + random.random())


if __name__ == "__main__":
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    loader = DataLoader(
        Noisy(), 4, shuffle=True, num_workers=2, worker_init_fn=start, generator=torch.Generator().manual_seed(0)
    )
    print("sum =", sum(batch.sum().item() for _ in range(2) for batch in loader))
