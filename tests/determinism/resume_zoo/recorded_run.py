import json
import os
import time
import uuid

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
model = torch.nn.Linear(5, 1)
opt = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
run, start = {"id": uuid.uuid4().hex[:8], "elapsed": 0.0, "losses": []}, 0
if os.path.exists("last.pt"):
    ck = torch.load("last.pt")
    model.load_state_dict(ck["m"])
    opt.load_state_dict(ck["o"])
    start, run = ck["it"] + 1, ck["run"]
    print("going on with run", run["id"])
began, mean = time.time(), []
for it in range(start, 60):
    g = torch.Generator().manual_seed(it)
    x = torch.randn(16, 5, generator=g)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    mean.append(loss.item())
    if it % 10 == 9:
        print(f"{it + 1} loss {sum(mean) / len(mean):.6f}")
        run["losses"].append(sum(mean) / len(mean))
        mean = []
    if it % 10 == 4:
        run["elapsed"] += time.time() - began
        torch.save({"m": model.state_dict(), "o": opt.state_dict(), "it": it, "run": run}, "tmp.pt")
        os.replace("tmp.pt", "last.pt")
with open("run.json", "w") as file:
    json.dump(run, file)
print(f"final weights {model.weight.abs().sum().item():.8f}")
