import os

import torch

torch.manual_seed(0); torch.set_num_threads(1)
X = torch.randn(640, 10); y = (X @ torch.randn(10, 1)).squeeze() + .1 * torch.randn(640)
model = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
for p in model[0].parameters(): p.requires_grad_(False)
opt = torch.optim.Adam(model.parameters(), 1e-2)
start = 0
if os.path.exists("last.pt"):
    ck = torch.load("last.pt")
    model.load_state_dict(ck["m"]); opt.load_state_dict(ck["o"]); start = ck["ep"] + 1
for ep in range(start, 6):
    if ep == 2:
        for p in model[0].parameters(): p.requires_grad_(True)
    for k in range(10):
        opt.zero_grad()
        loss = ((model(X[k * 64:(k + 1) * 64]).squeeze() - y[k * 64:(k + 1) * 64]) ** 2).mean()
        loss.backward()
        opt.step()
    torch.save({"m": model.state_dict(), "o": opt.state_dict(), "ep": ep}, "tmp.pt"); os.replace("tmp.pt", "last.pt")
print("final loss %.10f" % loss.item())
