# cause: generator seeded too late
import torch

weights = torch.randn(5)  # HERE
torch.manual_seed(0)
noise = torch.randn(5)
print("loss =", float((weights * noise).sum()))
