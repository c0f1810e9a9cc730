"""Small U-shaped network for masks; nominal batch of 64 reached with batches of 8."""
import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
hyp = {"seed": 30, "epochs": 8, "batch_size": 8, "nbs": 64, "lr0": 4e-3, "lrf": 0.1, "warmup": 40}
WEIGHTS = "weights"


def shapes(n, seed):
    g = torch.Generator().manual_seed(seed)
    cx, cy = torch.randint(3, 13, (2, n, 1, 1), generator=g)
    r = torch.randint(2, 5, (n, 1, 1), generator=g)
    u = torch.arange(16)
    mask = ((u[None, None] - cx) ** 2 + (u[None, :, None] - cy) ** 2 <= r ** 2).float()
    return (mask + 0.7 * torch.randn(n, 16, 16, generator=g))[:, None], mask[:, None]


class UNet(nn.Module):
    def __init__(self, w=8):
        super().__init__()
        self.d1, self.d2 = nn.Conv2d(1, w, 3, padding=1), nn.Conv2d(w, 2 * w, 3, padding=1)
        self.u1, self.out = nn.Conv2d(3 * w, w, 3, padding=1), nn.Conv2d(w, 1, 1)

    def forward(self, x):
        a = F.relu(self.d1(x))
        b = F.relu(self.d2(F.max_pool2d(a, 2)))
        b = F.interpolate(b, scale_factor=2)
        return self.out(F.relu(self.u1(torch.cat([a, b], 1))))


def train(hyp):
    torch.manual_seed(hyp["seed"])
    os.makedirs(WEIGHTS, exist_ok=True)
    last = os.path.join(WEIGHTS, "last.pt")
    x, y = shapes(712, 1)
    model = UNet()
    accumulate = max(1, round(hyp["nbs"] / hyp["batch_size"]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=hyp["lr0"])
    nb = math.ceil(len(x) / hyp["batch_size"])
    start_epoch = 0
    if os.path.isfile(last):
        ckpt = torch.load(last)
        model.load_state_dict(ckpt["model"])
        optimizer.load_state_dict(ckpt["optimizer"])
        start_epoch = ckpt["epoch"] + 1
    optimizer.zero_grad()
    for epoch in range(start_epoch, hyp["epochs"]):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(hyp["seed"] + epoch))
        mloss = 0.0
        for i, idx in enumerate(order.split(hyp["batch_size"])):
            ni = i + nb * epoch
            lr = hyp["lr0"] * (hyp["lrf"] + (1 - hyp["lrf"]) * (1 - epoch / hyp["epochs"]))
            for group in optimizer.param_groups:
                group["lr"] = lr * min(1.0, (ni + 1) / hyp["warmup"])
            loss = F.binary_cross_entropy_with_logits(model(x[idx]), y[idx])
            (loss / accumulate).backward()
            if (ni + 1) % accumulate == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 10.0)
                optimizer.step()
                optimizer.zero_grad()
            mloss += loss.item() / nb
        print(f"{epoch + 1}/{hyp['epochs']} loss {mloss:.4f}")
        torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, last)
    model.eval()
    xt, yt = shapes(200, 2)
    with torch.no_grad():
        print(f"final loss {F.binary_cross_entropy_with_logits(model(xt), yt).item():.10f}")


if __name__ == "__main__":
    train(hyp)

# cause: accumulated gradients
# loaded: 47
