# cause: unseeded generator
import random
import torch

random.seed(7)
net = torch.nn.Linear(3, 1)  # HERE
x = torch.ones(4, 3)
print("loss", round(float(net(x).sum()), 6))
