"""DQN on CartPole with a hard-updated target network; the state is saved between episodes."""
import os
import pickle
import random

import gymnasium as gym
import numpy as np
import torch
from torch import nn

SEED = 7
EPISODES = 120
TARGET_EVERY = 200
SAVE_EVERY = 10
PATH = "dqn_state.pkl"

torch.set_num_threads(1)


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.net(x)


class Agent:
    def __init__(self):
        self.q = QNet()
        self.target = QNet()
        self.target.load_state_dict(self.q.state_dict())
        self.opt = torch.optim.Adam(self.q.parameters(), lr=5e-4)
        self.buffer = []
        self.pos = 0
        self.steps = 0
        self.eps = 1.0
        self.returns = []

    def act(self, obs):
        if random.random() < self.eps:
            return random.randrange(2)
        with torch.no_grad():
            return int(self.q(torch.from_numpy(obs)).argmax())

    def remember(self, item, cap=4000):
        if len(self.buffer) < cap:
            self.buffer.append(item)
        else:
            self.buffer[self.pos] = item
        self.pos = (self.pos + 1) % cap

    def learn(self, batch=64, gamma=0.98):
        if len(self.buffer) < 200:
            return
        s, a, r, s2, d = zip(*random.sample(self.buffer, batch))
        s, s2 = torch.from_numpy(np.stack(s)), torch.from_numpy(np.stack(s2))
        a, r, d = torch.tensor(a), torch.tensor(r), torch.tensor(d)
        with torch.no_grad():
            goal = r + gamma * (1 - d) * self.target(s2).max(1).values
        loss = nn.functional.smooth_l1_loss(self.q(s).gather(1, a[:, None]).squeeze(1), goal)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()

    def save(self, episode):
        blob = dict(q=self.q.state_dict(), opt=self.opt.state_dict(), buffer=self.buffer, pos=self.pos,
                    steps=self.steps, eps=self.eps, returns=self.returns, episode=episode,
                    rng=(random.getstate(), np.random.get_state(), torch.get_rng_state()))
        with open(PATH + ".tmp", "wb") as f:
            pickle.dump(blob, f)
        os.replace(PATH + ".tmp", PATH)

    def load(self):
        with open(PATH, "rb") as f:
            blob = pickle.load(f)
        self.q.load_state_dict(blob["q"])
        self.target.load_state_dict(self.q.state_dict())
        self.opt.load_state_dict(blob["opt"])
        for name in ("buffer", "pos", "steps", "eps", "returns"):
            setattr(self, name, blob[name])
        random.setstate(blob["rng"][0])
        np.random.set_state(blob["rng"][1])
        torch.set_rng_state(blob["rng"][2])
        return blob["episode"]


def main():
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    env = gym.make("CartPole-v1", max_episode_steps=60)
    agent = Agent()
    first = 0
    if os.path.exists(PATH):
        first = agent.load()
        print(f"loaded {PATH}, next episode {first}", flush=True)

    for episode in range(first, EPISODES):
        obs, _ = env.reset(seed=SEED * 1000 + episode)
        total, done = 0.0, False
        while not done:
            a = agent.act(obs)
            nxt, r, term, trunc, _ = env.step(a)
            agent.remember((obs, a, float(r), nxt, float(term)))
            obs, total, done = nxt, total + r, term or trunc
            agent.steps += 1
            agent.learn()
            if agent.steps % TARGET_EVERY == 0:
                agent.target.load_state_dict(agent.q.state_dict())
        agent.eps = max(0.05, agent.eps * 0.96)
        agent.returns.append(total)
        print(f"episode {episode} return {total:.0f} eps {agent.eps:.3f} steps {agent.steps}", flush=True)
        if (episode + 1) % SAVE_EVERY == 0:
            agent.save(episode + 1)

    norm = sum(p.double().pow(2).sum().item() for p in agent.q.parameters())
    print(f"FINAL mean20 {float(np.mean(agent.returns[-20:]))!r} steps {agent.steps} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: second copy of the model
# loaded: 76
