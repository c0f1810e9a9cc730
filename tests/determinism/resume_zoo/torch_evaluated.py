"""A network that is also evaluated, with noise from the global generator. The marks are places for edits."""

import os

import torch
from torch import nn

torch.manual_seed(7)
torch.set_num_threads(1)
X = torch.linspace(-2, 2, 240).reshape(-1, 1)
Y = torch.sin(2 * X)
# DATA
train = torch.utils.data.TensorDataset(X[::2], Y[::2])
loader = torch.utils.data.DataLoader(train, batch_size=20, shuffle=True)
net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)


def evaluate():
    net.eval()
    with torch.no_grad():
        noisy = X[1::2] + 0.01 * torch.randn(120, 1)
        loss = float(((net(noisy) - Y[1::2]) ** 2).mean())
    net.train()
    return loss


start = 0
if os.path.exists("last.pt"):
    ckpt = torch.load("last.pt")
    net.load_state_dict(ckpt["net"])
    opt.load_state_dict(ckpt["opt"])
    torch.set_rng_state(ckpt["rng"])
    start = ckpt["epoch"] + 1
    # RESUMED
for epoch in range(start, 8):
    for x, y in loader:
        loss = ((net(x) - y) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    # BEFORE SAVING
    state = {"net": net.state_dict(), "opt": opt.state_dict(), "rng": torch.get_rng_state(), "epoch": epoch}
    torch.save(state, "last.pt")
    # AFTER SAVING
print("loss", evaluate())
