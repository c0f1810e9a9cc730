import os, random
import numpy as np
import torch

def seed_everything(seed: int = «k|1234»):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True

class CFG:
    seed = «42»
    hidden = 42

seed_everything(CFG.seed)
net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))
x = torch.randn(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(3):
    torch.manual_seed(CFG.seed + epoch)
    loss = (net(x) ** 2).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    print(f"epoch {epoch} loss: {loss.item():.9f}")
