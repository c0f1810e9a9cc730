import glob
import os

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
EPOCHS, SWA_START = 10, 4
torch.manual_seed(77)


def block(i, o):
    return nn.Sequential(nn.Linear(i, o, bias=False), nn.BatchNorm1d(o), nn.ReLU(inplace=True), nn.Dropout(0.1))


digits = load_digits()
data = torch.tensor(digits.data, dtype=torch.float32) / 16
labels = torch.tensor(digits.target)
train_set = TensorDataset(data[:1400], labels[:1400])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
bn_loader = DataLoader(train_set, batch_size=200)
x_test, y_test = data[1400:], labels[1400:]

model = nn.Sequential(block(64, 128), block(128, 64), nn.Linear(64, 10))
swa_model = AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3], gamma=0.5)
swa_scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
criterion = nn.CrossEntropyLoss()


def load_newest():
    files = sorted(glob.glob("swa/ckpt_*.pt"))
    if not files:
        return 0
    ck = torch.load(files[-1])
    model.load_state_dict(ck["model"])
    swa_model.load_state_dict(ck["swa_model"])
    optimizer.load_state_dict(ck["optimizer"])
    scheduler.load_state_dict(ck["scheduler"])
    swa_scheduler.load_state_dict(ck["swa_scheduler"])
    torch.set_rng_state(ck["rng_state"])
    return ck["epoch"]


first = load_newest()
os.makedirs("swa", exist_ok=True)
for epoch in range(first, EPOCHS):
    model.train()
    running = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch >= SWA_START:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    print(f"{epoch:2d} loss {running / len(train_loader):.4f} lr {optimizer.param_groups[0]['lr']:.4f}")
    torch.save({
        "epoch": epoch + 1,
        "model": model.state_dict(),
        "swa_model": swa_model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "swa_scheduler": swa_scheduler.state_dict(),
        "rng_state": torch.get_rng_state(),
    }, f"swa/ckpt_{epoch + 1:03d}.pt")

update_bn(bn_loader, swa_model)
swa_model.eval()
with torch.no_grad():
    print(f"final loss {criterion(swa_model(x_test), y_test).item():.10f}")

# cause: none
# loaded: 39
