"""DQN on CartPole with target network, epsilon decay and replay memory; checkpoint every 10 episodes."""

import csv
import os
import random
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED, EPISODES, SAVE_EVERY = 3, 60, 10
CAPACITY, BATCH, GAMMA, TARGET_EVERY = 2000, 32, 0.98, 100
torch.manual_seed(SEED)
np.random.seed(SEED)
random.seed(SEED)
torch.set_num_threads(1)


class Memory:
    def __init__(self, capacity, dim):
        self.s = np.zeros((capacity, dim), np.float32)
        self.s2 = np.zeros((capacity, dim), np.float32)
        self.a = np.zeros(capacity, np.int64)
        self.r = np.zeros(capacity, np.float32)
        self.d = np.zeros(capacity, np.float32)
        self.pos, self.size, self.capacity = 0, 0, capacity

    def add(self, s, a, r, s2, d):
        i = self.pos
        self.s[i], self.a[i], self.r[i], self.s2[i], self.d[i] = s, a, r, s2, d
        self.pos = (i + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def sample(self, n):
        i = np.random.randint(0, self.size, n)
        return [torch.from_numpy(v[i]) for v in (self.s, self.a, self.r, self.s2, self.d)]


def mlp():
    return nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))


env = gym.make("CartPole-v1", max_episode_steps=200)
q, target = mlp(), mlp()
target.load_state_dict(q.state_dict())
opt = torch.optim.Adam(q.parameters(), lr=1e-3)
memory = Memory(CAPACITY, 4)
st = {"episode": 0, "updates": 0, "eps": 1.0, "returns": [], "best": 0.0}

if os.path.islink("latest.pt"):
    c = torch.load("latest.pt", weights_only=False)
    q.load_state_dict(c["q"])
    target.load_state_dict(c["target"])
    opt.load_state_dict(c["opt"])
    memory.__dict__.update(c["memory"])
    st = c["st"]
    random.setstate(c["py"])
    np.random.set_state(c["np"])
    torch.set_rng_state(c["th"])
    print("loaded", os.readlink("latest.pt"), "episode", st["episode"], "memory", memory.size, flush=True)


def learn():
    s, a, r, s2, d = memory.sample(BATCH)
    with torch.no_grad():
        goal = r + GAMMA * (1 - d) * target(s2).max(1).values
    loss = F.smooth_l1_loss(q(s).gather(1, a[:, None]).squeeze(1), goal)
    opt.zero_grad()
    loss.backward()
    opt.step()
    st["updates"] += 1
    if st["updates"] % TARGET_EVERY == 0:
        target.load_state_dict(q.state_dict())
    return loss.item()


def save():
    name = f"agent_{st['episode']:04d}.pt"
    torch.save(
        {
            "q": q.state_dict(),
            "target": target.state_dict(),
            "opt": opt.state_dict(),
            "st": st,
            "memory": memory.__dict__,
            "py": random.getstate(),
            "np": np.random.get_state(),
            "th": torch.get_rng_state(),
        },
        name + ".tmp",
    )
    os.replace(name + ".tmp", name)
    os.symlink(name, "latest.tmp")
    os.replace("latest.tmp", "latest.pt")
    print(time.strftime("%X"), "saved", name, flush=True)


while st["episode"] < EPISODES:
    s, _ = env.reset(seed=1000 + st["episode"])
    total, losses, over = 0.0, [], False
    while not over:
        if random.random() < st["eps"]:
            a = random.randrange(2)
        else:
            with torch.no_grad():
                a = int(q(torch.from_numpy(s)).argmax())
        s2, r, term, trunc, _ = env.step(a)
        memory.add(s, a, r, s2, float(term))
        s, total, over = s2, total + r, term or trunc
        if memory.size >= 200:
            losses.append(learn())
    st["episode"] += 1
    st["eps"] = max(0.05, st["eps"] * 0.96)
    st["returns"].append(total)
    st["best"] = max(st["best"], total)
    if st["episode"] % 5 == 0:
        print(
            f"episode {st['episode']} return {total:.0f} mean10 {np.mean(st['returns'][-10:]):.2f} eps {st['eps']:.3f} loss {np.mean(losses or [0]):.6f}"
        )
    if st["episode"] % SAVE_EVERY == 0:
        save()

with open("returns.csv", "w", newline="") as f:
    csv.writer(f).writerows(enumerate(st["returns"]))
probe = torch.linspace(-0.2, 0.2, 40).view(10, 4)
with torch.no_grad():
    qv = q(probe).mean().item()
print(f"FINAL mean20={np.mean(st['returns'][-20:]):.4f} best={st['best']:.0f} updates={st['updates']} probe_q={qv:.8f}")

# cause: none
# loaded: 0
