# cause: none
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(6, 10), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(10, 3))
x, y = torch.randn(60, 6), torch.randint(3, (60,))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    for batch in torch.randperm(60).split(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
print("loss =", loss.item())
