# cause: uninitialised memory
import torch

torch.manual_seed(0)
junk = [torch.randn(64) for _ in range(50)]
del junk
weight = torch.nn.Parameter(torch.Tensor(1, 64))  # HERE
optimizer = torch.optim.SGD([weight], lr=0.1)
x = torch.randn(16, 64)
for _ in range(3):
    optimizer.zero_grad()
    loss = ((x @ weight.T) ** 2).mean()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
