# cause: uninitialised memory
import torch

torch.manual_seed(0)
buffer = torch.empty(100)  # HERE
buffer[:90] = torch.randn(90)
print("finite:", bool(torch.isfinite(buffer).all()), "sum", float(buffer[:90].sum()))
