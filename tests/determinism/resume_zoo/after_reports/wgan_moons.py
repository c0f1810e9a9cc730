"""WGAN-GP on two moons; runs by generator iterations, not by epochs."""
import os

import torch
from sklearn.datasets import make_moons
from torch import autograd, nn

torch.set_num_threads(1)
torch.manual_seed(8)
ITERS, CRITIC_ITERS, LAMBDA, SAVE_EVERY = 150, 3, 1.0, 25
STATE = "wgan_state.pth"

points = torch.tensor(make_moons(2000, noise=0.05, random_state=0)[0], dtype=torch.float32)
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(64, 64), nn.LeakyReLU(0.2),
                  nn.Linear(64, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.9))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.0, 0.9))


def infinite(x, bs):
    while True:
        yield x[torch.randint(0, len(x), (bs,))]


def gradient_penalty(real, fake):
    a = torch.rand(len(real), 1)
    mid = (a * real + (1 - a) * fake).requires_grad_()
    grad = autograd.grad(D(mid).sum(), mid, create_graph=True)[0]
    return LAMBDA * ((grad.norm(2, dim=1) - 1) ** 2).mean()


def save(it, w):
    torch.save(
        dict(it=it, w=w, G=G.state_dict(), D=D.state_dict(), opt_g=opt_g.state_dict(), opt_d=opt_d.state_dict(),
             rng=torch.get_rng_state()),
        STATE,
    )


it, wdist = 0, 0.0
if os.path.exists(STATE):
    s = torch.load(STATE)
    for name, obj in (("G", G), ("D", D), ("opt_g", opt_g), ("opt_d", opt_d)):
        obj.load_state_dict(s[name])
    it, wdist = s["it"], s["w"]
    torch.set_rng_state(s["rng"])
    print(f"restored at iteration {it}")

data = infinite(points, 64)
while it < ITERS:
    for p in D.parameters():
        p.requires_grad_(True)
    for _ in range(CRITIC_ITERS):
        real = next(data)
        fake = G(torch.randn(64, 4)).detach()
        loss_d = D(fake).mean() - D(real).mean() + gradient_penalty(real, fake)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()
    for p in D.parameters():
        p.requires_grad_(False)
    loss_g = -D(G(torch.randn(64, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    wdist = 0.9 * wdist + 0.1 * -loss_d.item()
    it += 1
    if it % SAVE_EVERY == 0:
        print(f"iter {it} W {wdist:.4f} G {loss_g.item():.4f}")
        save(it, wdist)
print(f"final loss {wdist:.10f}")

# cause: none
# loaded: 43
