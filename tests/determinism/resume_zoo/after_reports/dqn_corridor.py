"""DQN on a small windy grid world."""
import json
import os
import random
from collections import deque

import numpy as np
import torch
from torch import nn

SIZE = 6
EPISODES = 160
SAVE_EVERY = 20
CKPT = "dqn.pt"

torch.set_num_threads(1)


class WindyGrid:
    moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def reset(self):
        self.pos, self.t = (0, 0), 0
        return self.obs()

    def obs(self):
        return np.array([self.pos[0] / SIZE, self.pos[1] / SIZE, self.t / 40], dtype=np.float32)

    def step(self, a):
        if random.random() < 0.1:
            a = random.randrange(4)
        d = self.moves[a]
        self.pos = (min(max(self.pos[0] + d[0], 0), SIZE - 1), min(max(self.pos[1] + d[1], 0), SIZE - 1))
        self.t += 1
        goal = self.pos == (SIZE - 1, SIZE - 1)
        pit = self.pos in ((2, 2), (3, 4))
        reward = 1.0 if goal else (-0.5 if pit else -0.01)
        return self.obs(), reward, goal or pit, self.t >= 40


class Agent:
    def __init__(self):
        net = lambda: nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        self.q, self.target = net(), net()
        self.target.load_state_dict(self.q.state_dict())
        self.opt = torch.optim.Adam(self.q.parameters(), lr=1e-3)
        self.memory = deque(maxlen=4000)
        self.frames = 0

    def epsilon(self):
        return max(0.05, 1.0 - self.frames / 2000)

    def act(self, s):
        self.frames += 1
        if random.random() < self.epsilon():
            return random.randrange(4)
        with torch.no_grad():
            return int(self.q(torch.from_numpy(s)).argmax())

    def learn(self, batch=32, gamma=0.97):
        if len(self.memory) < batch:
            return None
        s, a, r, s2, d = map(np.array, zip(*random.sample(self.memory, batch)))
        with torch.no_grad():
            nxt = self.target(torch.from_numpy(s2)).max(1).values
            goal = torch.from_numpy(r).float() + gamma * nxt * (1 - torch.from_numpy(d).float())
        pred = self.q(torch.from_numpy(s)).gather(1, torch.from_numpy(a)[:, None])[:, 0]
        loss = nn.functional.smooth_l1_loss(pred, goal)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        if self.frames % 200 == 0:
            self.target.load_state_dict(self.q.state_dict())
        return loss.item()


def save(agent, episode, returns):
    torch.save({"q": agent.q.state_dict(), "target": agent.target.state_dict(),
                "opt": agent.opt.state_dict(), "frames": agent.frames, "episode": episode,
                "returns": returns, "py": random.getstate(), "torch": torch.get_rng_state()}, CKPT + ".tmp")
    os.replace(CKPT + ".tmp", CKPT)


def main():
    random.seed(6)
    torch.manual_seed(6)
    env, agent = WindyGrid(), Agent()
    start, returns = 0, []
    if os.path.exists(CKPT):
        ck = torch.load(CKPT, weights_only=False)
        agent.q.load_state_dict(ck["q"])
        agent.target.load_state_dict(ck["target"])
        agent.opt.load_state_dict(ck["opt"])
        agent.frames, start, returns = ck["frames"], ck["episode"], ck["returns"]
        random.setstate(ck["py"])
        torch.set_rng_state(ck["torch"])
        print(f"continuing from episode {start}, frame {agent.frames}")

    for episode in range(start, EPISODES):
        s, total, over = env.reset(), 0.0, False
        while not over:
            a = agent.act(s)
            s2, r, done, cut = env.step(a)
            agent.memory.append((s, a, r, s2, done))
            agent.learn()
            s, total, over = s2, total + r, done or cut
        returns.append(total)
        if (episode + 1) % SAVE_EVERY == 0:
            print(f"episode {episode + 1:4d} mean return {np.mean(returns[-20:]):.4f} eps {agent.epsilon():.3f}")
            save(agent, episode + 1, returns)

    print(f"final mean return {np.mean(returns[-40:]):.6f} frames {agent.frames}")
    torch.save(agent.q.state_dict(), "q_final.pt")
    with open("returns.json", "w") as fh:
        json.dump(returns, fh)


if __name__ == "__main__":
    main()

# cause: replay memory (self.memory
# loaded: 90
