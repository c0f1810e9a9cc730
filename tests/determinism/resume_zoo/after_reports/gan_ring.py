"""GAN on a ring of eight Gaussians. Checkpoints every 300 iterations."""
import json
import math
import os
import socket
import time

import torch
from torch import nn

ITERS = 2100
EVERY = 300
BATCH = 64
ZDIM = 8

torch.set_num_threads(1)


def mlp(i, o, act):
    return nn.Sequential(nn.Linear(i, 64), act, nn.Linear(64, 64), act, nn.Linear(64, o))


class Ring:
    def __init__(self, gen):
        ang = torch.arange(8) * (2 * math.pi / 8)
        self.centers = torch.stack([ang.cos(), ang.sin()], 1)
        self.gen = gen

    def draw(self, n):
        k = torch.randint(8, (n,), generator=self.gen)
        return self.centers[k] + 0.05 * torch.randn(n, 2, generator=self.gen)


def coverage(x, centers):
    d = torch.cdist(x, centers)
    near = d.min(1)
    hit = near.indices[near.values < 0.2]
    return len(hit.unique()), near.values.mean().item()


def rewind_log(path, it):
    if not os.path.exists(path):
        return
    keep = [l for l in open(path) if json.loads(l)["it"] <= it]
    with open(path, "w") as fh:
        fh.writelines(keep)


class State:
    def __init__(self):
        torch.manual_seed(100)
        self.G = mlp(ZDIM, 2, nn.ReLU())
        self.D = nn.Sequential(nn.Dropout(0.1), mlp(2, 1, nn.LeakyReLU(0.2)))
        self.og = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.9))
        self.od = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.9))
        self.sg = torch.optim.lr_scheduler.StepLR(self.og, 500, 0.7)
        self.gen = torch.Generator().manual_seed(4)
        self.it = 0
        self.best = {"dist": float("inf"), "it": -1}
        self.fixed_z = torch.randn(256, ZDIM, generator=torch.Generator().manual_seed(77))

    parts = ("G", "D", "og", "od", "sg")

    def dump(self, path):
        blob = {k: getattr(self, k).state_dict() for k in self.parts}
        blob.update(it=self.it, best=dict(self.best), gen=self.gen.get_state(),
                    cpu=torch.random.get_rng_state(), host=socket.gethostname(), when=time.ctime())
        torch.save(blob, path + "~")
        os.replace(path + "~", path)

    def pull(self, path):
        blob = torch.load(path, weights_only=False)
        for k in self.parts:
            getattr(self, k).load_state_dict(blob[k])
        self.it, self.best = blob["it"], blob["best"]
        self.gen.set_state(blob["gen"])
        torch.random.set_rng_state(blob["cpu"])
        return blob["when"]


def main():
    st = State()
    ring = Ring(st.gen)
    bce = nn.functional.binary_cross_entropy_with_logits
    if os.path.exists("gan.ckpt"):
        when = st.pull("gan.ckpt")
        rewind_log("gan_log.jsonl", st.it)
        print("picked up iteration", st.it, "written", when)
    elif os.path.exists("gan_log.jsonl"):
        os.remove("gan_log.jsonl")

    while st.it < ITERS:
        real = ring.draw(BATCH)
        z = torch.randn(BATCH, ZDIM, generator=st.gen)
        fake = st.G(z)
        d_real, d_fake = st.D(real), st.D(fake.detach())
        loss_d = bce(d_real, torch.full_like(d_real, 0.9)) + bce(d_fake, torch.zeros_like(d_fake))
        st.od.zero_grad()
        loss_d.backward()
        st.od.step()

        out = st.D(fake)
        loss_g = bce(out, torch.ones_like(out))
        st.og.zero_grad()
        loss_g.backward()
        st.og.step()
        st.sg.step()
        st.it += 1
        if st.it % 50 == 0:
            with open("gan_log.jsonl", "a") as fh:
                fh.write(json.dumps({"it": st.it, "d": loss_d.item(), "g": loss_g.item()}) + "\n")
        if st.it % EVERY == 0:
            with torch.no_grad():
                modes, dist = coverage(st.G(st.fixed_z), ring.centers)
            if dist < st.best["dist"]:
                st.best = {"dist": dist, "it": st.it, "modes": modes}
                torch.save(st.G.state_dict(), "best_G.pt")
            print(f"it {st.it} D {loss_d.item():.4f} G {loss_g.item():.4f} modes {modes} dist {dist:.4f}")
            st.dump("gan.ckpt")

    with torch.no_grad():
        modes, dist = coverage(st.G(st.fixed_z), ring.centers)
    print(f"final modes {modes} dist {dist:.7f} best {st.best['dist']:.7f} at {st.best['it']}")
    torch.save({"G": st.G.state_dict(), "D": st.D.state_dict()}, "gan_final.pt")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
