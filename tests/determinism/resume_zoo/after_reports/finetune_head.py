"""Two-stage fine-tuning: the head first, then the whole network with a smaller rate for the backbone."""
import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)
SEED, EPOCHS, WARM_EPOCHS = 21, 10, 2
CKPT_DIR = "ckpts"


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU())
        self.head = nn.Linear(128, 5)

    def forward(self, x):
        return self.head(self.backbone(x))


def pretrain(model, x, y):
    """A few steps on the small digits, so that there is something to fine-tune."""
    head = nn.Linear(128, 5)
    opt = torch.optim.Adam([*model.backbone.parameters(), *head.parameters()], lr=1e-3)
    for _ in range(60):
        loss = F.cross_entropy(head(model.backbone(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()


def set_requires_grad(module, flag):
    for p in module.parameters():
        p.requires_grad = flag


torch.manual_seed(SEED)
d = load_digits()
x, y = torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target)
low, high = y < 5, y >= 5
model = Classifier()
pretrain(model, x[low], y[low])
x, y = x[high], y[high] - 5
xt, yt, xv, yv = x[:700], y[:700], x[700:], y[700:]

set_requires_grad(model.backbone, False)
optimizer = torch.optim.AdamW([
    {"params": model.backbone.parameters(), "lr": 2e-4},
    {"params": model.head.parameters(), "lr": 2e-3},
])
start_epoch = 0
os.makedirs(CKPT_DIR, exist_ok=True)
done = sorted(f for f in os.listdir(CKPT_DIR) if f.startswith("epoch_"))
if done:
    state = torch.load(os.path.join(CKPT_DIR, done[-1]))
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    start_epoch = state["epoch"] + 1
    print("continue from", done[-1])

for epoch in range(start_epoch, EPOCHS):
    if epoch == WARM_EPOCHS:
        set_requires_grad(model.backbone, True)
        print("training all layers")
    g = torch.Generator().manual_seed(SEED + epoch)
    for idx in torch.randperm(len(xt), generator=g).split(16):
        loss = F.cross_entropy(model(xt[idx]), yt[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        val = F.cross_entropy(model(xv), yv).item()
    print(f"epoch {epoch} val {val:.4f}")
    torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()},
               os.path.join(CKPT_DIR, f"epoch_{epoch:03d}.pt"))
with torch.no_grad():
    print(f"final loss {F.cross_entropy(model(xv), yv).item():.10f}")

# cause: which parameters are trained
# loaded: 58
