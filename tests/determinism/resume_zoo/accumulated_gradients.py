import os

import torch

torch.manual_seed(0); torch.set_num_threads(1)
X = torch.randn(640, 10); y = (X @ torch.randn(10, 1)).squeeze() + .1 * torch.randn(640)
model = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), 1e-2)
it = 0
if os.path.exists("last.pt"):
    ck = torch.load("last.pt")
    model.load_state_dict(ck["m"]); opt.load_state_dict(ck["o"]); it = ck["it"]
while it < 160:
    k = it % 40
    loss = ((model(X[k * 16:(k + 1) * 16]).squeeze() - y[k * 16:(k + 1) * 16]) ** 2).mean() / 4
    loss.backward()
    it += 1
    if it % 4 == 0:
        opt.step(); opt.zero_grad()
    if it % 9 == 0:
        torch.save({"m": model.state_dict(), "o": opt.state_dict(), "it": it}, "tmp.pt"); os.replace("tmp.pt", "last.pt")
print("final loss %.10f" % loss.item())
