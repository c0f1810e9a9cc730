# cause: thread count
# threads: 2
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(1))
x, y = torch.randn(64, 3, 24, 24), torch.randn(64, 1)
net(x)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(4):
    optimizer.zero_grad()
    loss = ((net(x) - y) ** 2).mean()  # HERE
    loss.backward()
    optimizer.step()
print("loss =", repr(float(loss)))
