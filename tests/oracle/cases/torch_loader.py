import random
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, random_split

def seed_worker(worker_id):
    worker_seed = torch.initial_seed() % 2**32
    np.random.seed(worker_seed)
    random.seed(worker_seed)

class Noisy(Dataset):
    def __len__(self):
        return 12
    def __getitem__(self, k):
        return k + np.random.rand() + random.random()

torch.manual_seed(«42»)
g = torch.Generator()
g.manual_seed(«k|0»)
data = Noisy()
train, _ = random_split(data, [8, 4], generator=torch.Generator().manual_seed(«42»))
loader = DataLoader(train, batch_size=4, shuffle=True, num_workers=2, worker_init_fn=seed_worker, generator=g)
for epoch in range(2):
    for batch in loader:
        print(epoch, batch.tolist())
print(torch.rand(2), torch.nn.Linear(2, 1).weight)
