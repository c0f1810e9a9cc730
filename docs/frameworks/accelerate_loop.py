"""A loop of one's own under Accelerate."""

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

set_seed(42)  # seed site
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(32, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
loader = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size=64, shuffle=True)

accelerator = Accelerator(cpu=True)
net, optimizer, loader = accelerator.prepare(net, optimizer, loader)
for epoch in range(3):
    for inputs, wanted in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(inputs), wanted)
        accelerator.backward(loss)
        optimizer.step()
net.eval()
with torch.no_grad():
    accuracy = (net(x[1400:]).argmax(1) == y[1400:]).float().mean()
accelerator.print(f"loss = {loss.item():.6f} | acc = {accuracy.item():.4f}")
