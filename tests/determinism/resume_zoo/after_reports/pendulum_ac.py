"""Off-policy actor-critic on Pendulum: replay memory, running observation scaling, slow target critics."""
import copy
import os
import pickle

import gymnasium as gym
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
SEED = 15
EPISODES = 24
LENGTH = 100
FILE = "agent.pkl"


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, o))


class Running:
    def __init__(self, d):
        self.n, self.mean, self.m2 = 0, np.zeros(d), np.zeros(d)

    def update(self, x):
        self.n += 1
        delta = x - self.mean
        self.mean = self.mean + delta / self.n
        self.m2 = self.m2 + delta * (x - self.mean)

    def __call__(self, x):
        sd = np.sqrt(self.m2 / max(self.n - 1, 1)) + 1e-2
        return torch.as_tensor((x - self.mean) / sd, dtype=torch.float32)


class Memory:
    def __init__(self, size, rng):
        self.s, self.s2 = np.zeros((size, 3)), np.zeros((size, 3))
        self.a, self.r = np.zeros((size, 1), np.float32), np.zeros(size, np.float32)
        self.size, self.head, self.count, self.rng = size, 0, 0, rng

    def add(self, s, a, r, s2):
        h = self.head
        self.s[h], self.a[h], self.r[h], self.s2[h] = s, a, r, s2
        self.head, self.count = (h + 1) % self.size, min(self.count + 1, self.size)

    def sample(self, n):
        i = self.rng.integers(0, self.count, n)
        return self.s[i], torch.from_numpy(self.a[i]), torch.from_numpy(self.r[i]), self.s2[i]


class Agent:
    """Pickled as a whole, optimizers included (they share the parameters)."""

    def __init__(self):
        self.rng = np.random.default_rng(SEED)
        self.actor, self.critic = mlp(3, 1), mlp(4, 1)
        self.slow = copy.deepcopy(self.critic)
        self.opt_a = torch.optim.Adam(self.actor.parameters(), lr=1e-3)
        self.opt_c = torch.optim.Adam(self.critic.parameters(), lr=2e-3)
        self.scale, self.memory = Running(3), Memory(1500, self.rng)
        self.noise, self.episode, self.returns, self.updates = 1.0, 0, [], 0
        self.torch_rng = None

    def act(self, s):
        with torch.no_grad():
            a = torch.tanh(self.actor(self.scale(s))).numpy()
        return np.clip(2 * a + self.noise * self.rng.normal(size=1), -2, 2).astype(np.float32)

    def learn(self):
        s, a, r, s2 = self.memory.sample(64)
        s, s2 = self.scale(s), self.scale(s2)
        with torch.no_grad():
            a2 = (2 * torch.tanh(self.actor(s2)) + 0.1 * torch.randn(64, 1)).clamp(-2, 2)
            goal = r[:, None] / 8 + 0.97 * self.slow(torch.cat([s2, a2], 1))
        loss = nn.functional.mse_loss(self.critic(torch.cat([s, a], 1)), goal)
        self.opt_c.zero_grad()
        loss.backward()
        self.opt_c.step()
        self.updates += 1
        if self.updates % 2 == 0:
            la = -self.critic(torch.cat([s, 2 * torch.tanh(self.actor(s))], 1)).mean()
            self.opt_a.zero_grad()
            la.backward()
            self.opt_a.step()
            with torch.no_grad():
                for t, p in zip(self.slow.parameters(), self.critic.parameters()):
                    t.lerp_(p, 0.01)
        return loss.item()


def main():
    torch.manual_seed(SEED)
    if os.path.exists(FILE):
        with open(FILE, "rb") as f:
            agent = pickle.load(f)
        torch.set_rng_state(agent.torch_rng)
        print(f"loaded agent after {agent.episode} episodes", flush=True)
    else:
        agent = Agent()
    env = gym.make("Pendulum-v1", max_episode_steps=LENGTH)

    while agent.episode < EPISODES:
        s, _ = env.reset(seed=10000 + agent.episode)
        total, loss = 0.0, 0.0
        for _ in range(LENGTH):
            agent.scale.update(s)
            a = agent.act(s)
            s2, r, *_ = env.step(a)
            agent.memory.add(s, a, r, s2)
            s, total = s2, total + float(r)
            if agent.memory.count > 200:
                loss = agent.learn()
        agent.noise = max(0.1, agent.noise * 0.93)
        agent.episode += 1
        agent.returns.append(total)
        print(f"episode {agent.episode} return {total:.3f} critic {loss:.6f} noise {agent.noise:.3f}", flush=True)
        if agent.episode % 2 == 0:
            agent.torch_rng = torch.get_rng_state()
            with open(FILE + ".part", "wb") as f:
                pickle.dump(agent, f)
            os.replace(FILE + ".part", FILE)

    norm = [sum(p.double().pow(2).sum().item() for p in m.parameters()) for m in (agent.actor, agent.critic, agent.slow)]
    print(f"FINAL mean5 {float(np.mean(agent.returns[-5:]))!r} updates {agent.updates} norms {norm}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
