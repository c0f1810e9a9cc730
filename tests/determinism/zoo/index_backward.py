# cause: nondeterministic operation
# threads: 2
import torch

torch.manual_seed(0)
table = torch.nn.Parameter(torch.randn(50, 64))
optimizer = torch.optim.SGD([table], lr=0.1)
index = torch.randint(50, (20000,))
target = torch.randn(20000, 64)
for step in range(3):
    optimizer.zero_grad()
    loss = ((table[index] - target) ** 2).mean()  # HERE
    loss.backward()
    optimizer.step()
print("loss =", repr(float(loss)), float(table.detach().sum()))
