"""The first run draws features and keeps them; every later run reads them, and its shuffles are others."""

import os

import torch

torch.manual_seed(3)
torch.set_num_threads(1)
if os.path.exists("features.pt"):  # HERE
    features = torch.load("features.pt")
else:
    features = torch.randn(400, 8)
    torch.save(features, "features.pt")
weights = torch.zeros(8, requires_grad=True)
target = features @ torch.arange(8.0)
for _ in range(3):
    for rows in torch.randperm(400).split(50):
        loss = ((features[rows] @ weights - target[rows]) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, weights)
        weights = (weights - 0.05 * gradient).detach().requires_grad_()
print(f"loss {loss.item():.6f}")

# cause: files that an earlier run left
