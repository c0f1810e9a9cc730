"""Policy gradient with baseline on CartPole, observations normalised online; checkpoint per iteration."""

import glob
import os
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn

SEED, ITERS, EPISODES, GAMMA = 31, 16, 5, 0.99
torch.manual_seed(SEED)
np.random.seed(SEED)
torch.set_num_threads(1)


class NormalizedEnv:
    def __init__(self, env):
        self.env = env
        dim = env.observation_space.shape[0]
        self.mean, self.var, self.count = np.zeros(dim), np.ones(dim), 1e-4

    def _norm(self, obs):
        delta = obs - self.mean
        tot = self.count + 1
        self.mean = self.mean + delta / tot
        self.var = (self.var * self.count + delta**2 * self.count / tot) / tot
        self.count = tot
        return np.clip((obs - self.mean) / np.sqrt(self.var + 1e-8), -10, 10).astype(np.float32)

    def reset(self, seed):
        return self._norm(self.env.reset(seed=seed)[0])

    def step(self, a):
        o, r, term, trunc, _ = self.env.step(a)
        return self._norm(o), r, term, trunc


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 48), nn.Tanh())
        self.pi, self.v = nn.Linear(48, 2), nn.Linear(48, 1)

    def forward(self, x):
        h = self.body(x)
        return self.pi(h), self.v(h).squeeze(-1)


env = NormalizedEnv(gym.make("CartPole-v1", max_episode_steps=200))
agent = ActorCritic()
optim = torch.optim.Adam(agent.parameters(), lr=7e-3)
start, returns = 0, []
os.makedirs("pg", exist_ok=True)
prev = sorted(glob.glob("pg/iter_*.pt"))
if prev:
    c = torch.load(prev[-1], weights_only=False)
    agent.load_state_dict(c["agent"])
    optim.load_state_dict(c["optim"])
    start, returns = c["iter"], c["returns"]
    torch.set_rng_state(c["torch_rng"])
    print("continuing from", prev[-1], flush=True)

for it in range(start, ITERS):
    S, A, G = [], [], []
    for e in range(EPISODES):
        obs, rewards, end = env.reset(seed=10_000 + it * EPISODES + e), [], False
        while not end:
            with torch.no_grad():
                a = torch.distributions.Categorical(logits=agent(torch.from_numpy(obs))[0]).sample().item()
            S.append(obs)
            A.append(a)
            obs, r, term, trunc = env.step(a)
            rewards.append(r)
            end = term or trunc
        g, disc = 0.0, []
        for r in reversed(rewards):
            g = r + GAMMA * g
            disc.append(g)
        G += disc[::-1]
        returns.append(sum(rewards))
    S, A, G = torch.from_numpy(np.stack(S)), torch.tensor(A), torch.tensor(G, dtype=torch.float32) / 50
    for _ in range(4):
        logits, v = agent(S)
        adv = G - v.detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-6)
        dist = torch.distributions.Categorical(logits=logits)
        loss = -(dist.log_prob(A) * adv).mean() + 0.5 * (G - v).pow(2).mean() - 0.01 * dist.entropy().mean()
        optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
        optim.step()
    path = f"pg/iter_{it + 1:04d}.pt"
    torch.save(
        {
            "agent": agent.state_dict(),
            "optim": optim.state_dict(),
            "iter": it + 1,
            "returns": returns,
            "torch_rng": torch.get_rng_state(),
        },
        path + ".tmp",
    )
    os.replace(path + ".tmp", path)
    print(
        f"{time.strftime('%X')} iter {it + 1} return {np.mean(returns[-EPISODES:]):.2f} loss {loss.item():.6f} saved {path}",
        flush=True,
    )

w = sum(p.double().abs().sum().item() for p in agent.parameters())
print(f"FINAL mean_return={np.mean(returns[-20:]):.4f} steps={int(sum(returns))} weight_sum={w:.8f}")

# cause: what an object has counted (env.mean
# loaded: 58
