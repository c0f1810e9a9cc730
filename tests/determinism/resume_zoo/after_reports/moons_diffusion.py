"""DDPM on two moons with an averaged copy of the weights for sampling."""
import copy
import glob
import os

import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import nn

T = 50
STEPS = 2500
SAVE_EVERY = 250
KEEP = 2

torch.set_num_threads(1)


class Denoiser(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.emb = nn.Embedding(T, 32)
        self.net = nn.Sequential(
            nn.Linear(34, width), nn.SiLU(), nn.Dropout(0.05),
            nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, 2),
        )

    def forward(self, x, t):
        return self.net(torch.cat([x, self.emb(t)], dim=1))


class Averager:
    def __init__(self, model, decay=0.995):
        self.decay = decay
        self.shadow = copy.deepcopy(model).eval()

    @torch.no_grad()
    def update(self, model, step):
        d = min(self.decay, (1 + step) / (10 + step))
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.mul_(d).add_(p, alpha=1 - d)


def latest():
    found = sorted(glob.glob("ddpm_*.pth"), key=lambda p: int(p[5:-4]))
    return found[-1] if found else None


def prune():
    found = sorted(glob.glob("ddpm_*.pth"), key=lambda p: int(p[5:-4]))
    for old in found[:-KEEP]:
        os.remove(old)


@torch.no_grad()
def sample(model, betas, n=512):
    g = torch.Generator().manual_seed(999)
    alphas = 1 - betas
    abar = torch.cumprod(alphas, 0)
    x = torch.randn(n, 2, generator=g)
    for t in reversed(range(T)):
        eps = model(x, torch.full((n,), t))
        x = (x - betas[t] / (1 - abar[t]).sqrt() * eps) / alphas[t].sqrt()
        if t > 0:
            x = x + betas[t].sqrt() * torch.randn(n, 2, generator=g)
    return x


def main():
    torch.manual_seed(0)
    pts, _ = make_moons(2000, noise=0.05, random_state=0)
    data = torch.tensor((pts - pts.mean(0)) / pts.std(0), dtype=torch.float32)
    betas = torch.linspace(1e-3, 0.15, T)
    abar = torch.cumprod(1 - betas, 0)

    model = Denoiser()
    avg = Averager(model)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    warm = lambda s: min(1.0, (s + 1) / 200) * 0.5 ** (s // 1000)
    noise_gen = torch.Generator().manual_seed(17)
    step, running = 0, None

    path = latest()
    if path is not None:
        ck = torch.load(path, weights_only=False)
        model.load_state_dict(ck["model"])
        avg.shadow.load_state_dict(ck["shadow"])
        opt.load_state_dict(ck["opt"])
        noise_gen.set_state(ck["noise_gen"])
        torch.set_rng_state(ck["rng"])
        step, running = ck["step"], ck["running"]
        print(f"loaded {path}")

    model.train()
    while step < STEPS:
        for group in opt.param_groups:
            group["lr"] = 2e-3 * warm(step)
        idx = torch.randint(len(data), (128,), generator=noise_gen)
        t = torch.randint(T, (128,), generator=noise_gen)
        eps = torch.randn(128, 2, generator=noise_gen)
        a = abar[t][:, None]
        x_t = a.sqrt() * data[idx] + (1 - a).sqrt() * eps
        loss = (model(x_t, t) - eps).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        avg.update(model, step)
        step += 1
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % SAVE_EVERY == 0:
            print(f"step {step} loss {running:.4f} lr {opt.param_groups[0]['lr']:.5f}")
            ck = {"model": model.state_dict(), "shadow": avg.shadow.state_dict(),
                  "opt": opt.state_dict(), "noise_gen": noise_gen.get_state(),
                  "rng": torch.get_rng_state(), "step": step, "running": running}
            torch.save(ck, "tmp.pth")
            os.rename("tmp.pth", f"ddpm_{step}.pth")
            prune()

    out = sample(avg.shadow, betas)
    d = torch.cdist(out, data).min(dim=1).values.mean().item()
    print(f"final loss {running:.6f} mean nearest distance {d:.6f}")
    np.savez("samples.npz", samples=out.numpy(),
             **{k: v.numpy() for k, v in avg.shadow.state_dict().items()})


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
