import os

import torch

torch.manual_seed(0)
torch.set_num_threads(1)


class Norm:
    def __init__(self, size):
        self.mean, self.var, self.count = torch.zeros(size), torch.ones(size), 1e-4

    def __call__(self, x):
        delta, total = x.mean(0) - self.mean, self.count + len(x)
        self.mean = self.mean + delta * len(x) / total
        self.var = (self.var * self.count + x.var(0) * len(x)) / total
        self.count = total
        return (x - self.mean) / self.var.sqrt()

    def state_dict(self):
        return dict(vars(self))

    def load_state_dict(self, state):
        vars(self).update(state)


norm, model = Norm(5), torch.nn.Linear(5, 1)
opt = torch.optim.SGD(model.parameters(), 0.05)
start = 0
if os.path.exists("last.pt"):
    ck = torch.load("last.pt", weights_only=False)
    model.load_state_dict(ck["m"])
    norm.load_state_dict(ck["n"])
    start = ck["ep"] + 1
for ep in range(start, 6):
    g = torch.Generator().manual_seed(ep)
    for _ in range(8):
        x = torch.randn(16, 5, generator=g) * (ep + 1)
        loss = (model(norm(x)).squeeze() - x.sum(1)).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    torch.save({"m": model.state_dict(), "n": norm.state_dict(), "ep": ep}, "tmp.pt")
    os.replace("tmp.pt", "last.pt")
print(f"final loss {loss.item():.8f}")
