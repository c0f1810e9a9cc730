# cause: none
import torch

torch.manual_seed(0)


@torch.compile(backend="eager", fullgraph=True)
def step(x):
    return torch.nn.functional.dropout(x, 0.5) + torch.rand(3) + torch.empty(3).fill_(2.0)


print(step(torch.ones(3)).tolist())
