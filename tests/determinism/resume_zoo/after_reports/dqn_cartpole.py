"""DQN on CartPole (gymnasium) with replay and a soft target update."""
import os
import random

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
SEED, EPISODES, SAVE_EVERY, BATCH = 6, 75, 15, 32
CKPT = "cartpole.pt"


class ReplayBuffer:
    def __init__(self, size):
        self.size, self.pos, self.full = size, 0, False
        self.obs, self.next_obs = np.zeros((size, 4), np.float32), np.zeros((size, 4), np.float32)
        self.act, self.rew, self.end = np.zeros(size, np.int64), np.zeros(size, np.float32), np.zeros(size, np.float32)

    def __len__(self):
        return self.size if self.full else self.pos

    def add(self, *transition):
        for store, v in zip((self.obs, self.act, self.rew, self.next_obs, self.end), transition):
            store[self.pos] = v
        self.pos = (self.pos + 1) % self.size
        self.full = self.full or self.pos == 0

    def sample(self, n):
        i = np.random.randint(0, len(self), n)
        return [torch.from_numpy(s[i]) for s in (self.obs, self.act, self.rew, self.next_obs, self.end)]


class Agent:
    def __init__(self):
        self.q = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.q_target = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.q_target.load_state_dict(self.q.state_dict())
        self.opt = torch.optim.Adam(self.q.parameters(), lr=1e-3)
        self.buffer, self.eps, self.loss = ReplayBuffer(1500), 1.0, 0.0

    def act(self, obs):
        if random.random() < self.eps:
            return random.randrange(2)
        with torch.no_grad():
            return int(self.q(torch.from_numpy(obs)).argmax())

    def learn(self):
        o, a, r, o2, end = self.buffer.sample(BATCH)
        with torch.no_grad():
            target = r + 0.98 * (1 - end) * self.q_target(o2).max(1).values
        loss = F.smooth_l1_loss(self.q(o).gather(1, a[:, None])[:, 0], target)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.loss = 0.99 * self.loss + 0.01 * loss.item()
        with torch.no_grad():
            for pt, p in zip(self.q_target.parameters(), self.q.parameters()):
                pt.lerp_(p, 0.01)


random.seed(SEED), np.random.seed(SEED), torch.manual_seed(SEED)
env, agent, first = gym.make("CartPole-v1"), Agent(), 0
if os.path.exists(CKPT):
    c = torch.load(CKPT, weights_only=False)
    agent.q.load_state_dict(c["q"]), agent.q_target.load_state_dict(c["q_target"]), agent.opt.load_state_dict(c["opt"])
    agent.buffer.__dict__.update(c["buffer"])
    agent.eps, agent.loss, first = c["eps"], c["loss"], c["episode"]
    random.setstate(c["rng"][0]), np.random.set_state(c["rng"][1])
for episode in range(first, EPISODES):
    obs, _ = env.reset(seed=SEED * 1000 + episode)
    length, over = 0, False
    while not over:
        action = agent.act(obs)
        nxt, reward, terminated, truncated, _ = env.step(action)
        agent.buffer.add(obs, action, reward, nxt, float(terminated))
        obs, over, length = nxt, terminated or truncated, length + 1
        if len(agent.buffer) >= 200:
            agent.learn()
    agent.eps = max(0.05, agent.eps * 0.96)
    if (episode + 1) % SAVE_EVERY == 0:
        print(f"episode {episode + 1} length {length} eps {agent.eps:.3f} loss {agent.loss:.5f}")
        torch.save({"q": agent.q.state_dict(), "q_target": agent.q_target.state_dict(), "opt": agent.opt.state_dict(),
                    "buffer": vars(agent.buffer), "eps": agent.eps, "loss": agent.loss, "episode": episode + 1,
                    "rng": (random.getstate(), np.random.get_state())}, CKPT)
print(f"final loss {agent.loss:.10f}")

# cause: none
# loaded: 67
