import argparse
import os

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--niter", type=int, default=8)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--nz", type=int, default=16)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--outf", default="out")
parser.add_argument("--seed", type=int, default=999)
opt = parser.parse_args()
os.makedirs(opt.outf, exist_ok=True)
torch.set_num_threads(1)
torch.manual_seed(opt.seed)

images = torch.tensor(load_digits().data, dtype=torch.float32) / 8.0 - 1.0
netG = nn.Sequential(nn.Linear(opt.nz, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2),
                     nn.Linear(128, 64), nn.Tanh())
netD = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=opt.lr, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=opt.lr, betas=(0.5, 0.999))
fixed_noise = torch.randn(64, opt.nz)

start = 0
path = os.path.join(opt.outf, "gan_last.pt")
if os.path.exists(path):
    state = torch.load(path)
    netG.load_state_dict(state["netG"])
    netD.load_state_dict(state["netD"])
    optimizerG.load_state_dict(state["optimizer"])
    fixed_noise = state["fixed_noise"]
    start = state["epoch"] + 1
    print("resuming at epoch", start)

for epoch in range(start, opt.niter):
    g = torch.Generator().manual_seed(opt.seed + epoch)
    order = torch.randperm(len(images), generator=g)
    for i in range(0, len(order) - opt.batch_size + 1, opt.batch_size):
        real = images[order[i:i + opt.batch_size]]
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)

        netD.zero_grad()
        noise = torch.randn(len(real), opt.nz, generator=g)
        fake = netG(noise)
        errD = criterion(netD(real), ones) + criterion(netD(fake.detach()), zeros)
        errD.backward()
        optimizerD.step()

        netG.zero_grad()
        errG = criterion(netD(fake), ones)
        errG.backward()
        optimizerG.step()
    print(f"[{epoch}/{opt.niter}] Loss_D {errD.item():.4f} Loss_G {errG.item():.4f}")
    torch.save({"epoch": epoch, "netG": netG.state_dict(), "netD": netD.state_dict(),
                "optimizer": optimizerG.state_dict(), "fixed_noise": fixed_noise}, path)

with torch.no_grad():
    loss = criterion(netD(netG(fixed_noise)), torch.ones(64, 1)).item()
print(f"final loss {loss:.10f}")

# cause: state of the optimizer
# loaded: 32
