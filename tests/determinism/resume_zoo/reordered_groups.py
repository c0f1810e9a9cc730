import os

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
X = torch.randn(320, 6)
y = (X @ torch.randn(6, 1)).squeeze().sin()
body = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.Tanh(), torch.nn.Linear(6, 6), torch.nn.Tanh())
head = torch.nn.Linear(6, 1)
model = torch.nn.Sequential(body, head)
opt = torch.optim.Adam(head.parameters(), 1e-2)
start = 0


def free(k):
    opt.add_param_group({"params": list(body[k].parameters()), "lr": 2e-3})


if os.path.exists("last.pt"):
    ck = torch.load("last.pt")
    model.load_state_dict(ck["m"])
    start = ck["ep"] + 1
    for k in (0, 2)[-min(start, 2) :]:
        free(k)
    opt.load_state_dict(ck["o"])
for ep in range(start, 6):
    for k in range(10):
        opt.zero_grad()
        loss = ((model(X[k * 32 : (k + 1) * 32]).squeeze() - y[k * 32 : (k + 1) * 32]) ** 2).mean()
        loss.backward()
        opt.step()
    if ep < 2:
        free((2, 0)[ep])
    torch.save({"m": model.state_dict(), "o": opt.state_dict(), "ep": ep}, "tmp.pt")
    os.replace("tmp.pt", "last.pt")
print(f"final loss {loss.item():.10f}")
