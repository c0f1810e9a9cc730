# cause: none
import torch

torch.manual_seed(0)


@torch.jit.script
def noisy(x):
    return x + torch.rand_like(x)


buffer = torch.empty(3)
buffer.fill_(1.0)
print(noisy(buffer).sum().item(), torch.nn.functional.dropout(buffer).sum().item())
