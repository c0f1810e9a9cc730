"""DQN on a slippery maze, replay memory and environment included in the checkpoint."""
import os
import pickle
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)

CHECKPOINT = "dqn.ckpt"
TOTAL = 3000
LEARN_START = 300
SYNC_EVERY = 512
SAVE_EVERY = 250
GAMMA = 0.97

MAZE = ["S..#....",
        ".#.#.##.",
        ".#...#..",
        ".####.#.",
        "......#.",
        ".##.#.#.",
        "...#...G"]


class Maze:
    moves = [(-1, 0), (1, 0), (0, -1), (0, 1)]

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.h, self.w = len(MAZE), len(MAZE[0])
        self.reset()

    def obs(self):
        o = np.zeros(self.h + self.w, dtype=np.float32)
        o[self.pos[0]] = 1
        o[self.h + self.pos[1]] = 1
        return o

    def reset(self):
        while True:
            self.pos = (int(self.rng.integers(self.h)), int(self.rng.integers(self.w)))
            if MAZE[self.pos[0]][self.pos[1]] in "S.":
                break
        self.t = 0
        return self.obs()

    def step(self, a):
        if self.rng.random() < 0.1:
            a = int(self.rng.integers(4))
        r, c = self.pos[0] + self.moves[a][0], self.pos[1] + self.moves[a][1]
        self.t += 1
        reward = -0.01
        if 0 <= r < self.h and 0 <= c < self.w and MAZE[r][c] != "#":
            self.pos = (r, c)
        else:
            reward = -0.05
        goal = MAZE[self.pos[0]][self.pos[1]] == "G"
        return self.obs(), (1.0 if goal else reward), goal, self.t >= 80


def q_network():
    return nn.Sequential(nn.Linear(15, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))


class Agent:
    def __init__(self):
        self.policy_net = q_network()
        self.target_net = q_network()
        self.target_net.load_state_dict(self.policy_net.state_dict())
        self.optimizer = torch.optim.Adam(self.policy_net.parameters(), lr=1e-3)
        self.memory = deque(maxlen=1500)
        self.steps_done = 0

    def act(self, obs):
        eps = 0.05 + 0.95 * np.exp(-self.steps_done / 700)
        self.steps_done += 1
        if random.random() < eps:
            return random.randrange(4)
        with torch.no_grad():
            return int(self.policy_net(torch.from_numpy(obs)).argmax())

    def learn(self):
        batch = random.sample(self.memory, 32)
        s, a, r, s2, done = (np.array(v) for v in zip(*batch))
        s, s2 = torch.from_numpy(s), torch.from_numpy(s2)
        r, done = torch.tensor(r, dtype=torch.float32), torch.tensor(done, dtype=torch.float32)
        q = self.policy_net(s).gather(1, torch.tensor(a)[:, None]).squeeze(1)
        with torch.no_grad():
            best = self.policy_net(s2).argmax(1, keepdim=True)
            target = r + GAMMA * (1 - done) * self.target_net(s2).gather(1, best).squeeze(1)
        loss = F.smooth_l1_loss(q, target)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(self.policy_net.parameters(), 1.0)
        self.optimizer.step()
        if self.steps_done % SYNC_EVERY == 0:
            self.target_net.load_state_dict(self.policy_net.state_dict())
        return loss.item()


def save(agent, env, obs, episode_return, returns):
    with open(CHECKPOINT + ".tmp", "wb") as f:
        pickle.dump({"policy": agent.policy_net.state_dict(), "optimizer": agent.optimizer.state_dict(),
                     "memory": agent.memory, "steps_done": agent.steps_done, "env": env, "obs": obs,
                     "episode_return": episode_return, "returns": returns,
                     "random": random.getstate(), "torch": torch.get_rng_state()}, f)
    os.replace(CHECKPOINT + ".tmp", CHECKPOINT)


def main():
    random.seed(21)
    np.random.seed(21)
    torch.manual_seed(21)
    agent, env = Agent(), Maze(21)
    obs, episode_return, returns = env.reset(), 0.0, []
    if os.path.exists(CHECKPOINT):
        with open(CHECKPOINT, "rb") as f:
            c = pickle.load(f)
        agent.policy_net.load_state_dict(c["policy"])
        agent.target_net.load_state_dict(c["policy"])
        agent.optimizer.load_state_dict(c["optimizer"])
        agent.memory, agent.steps_done = c["memory"], c["steps_done"]
        env, obs, episode_return, returns = c["env"], c["obs"], c["episode_return"], c["returns"]
        random.setstate(c["random"])
        torch.set_rng_state(c["torch"])
        print("continuing at step", agent.steps_done)

    while agent.steps_done < TOTAL:
        a = agent.act(obs)
        nxt, reward, goal, timeout = env.step(a)
        agent.memory.append((obs, a, reward, nxt, goal))
        obs = nxt
        episode_return += reward
        if goal or timeout:
            returns.append(episode_return)
            obs, episode_return = env.reset(), 0.0
        loss = agent.learn() if agent.steps_done >= LEARN_START else None
        if agent.steps_done % 50 == 0:
            print(f"step {agent.steps_done} loss {loss if loss is None else round(loss, 8)} episodes {len(returns)}", flush=True)
        if agent.steps_done % SAVE_EVERY == 0:
            save(agent, env, obs, episode_return, returns)

    norm = sum(float(p.double().abs().sum()) for p in agent.policy_net.parameters())
    print("final mean return (last 20)", repr(float(np.mean(returns[-20:]))), "episodes", len(returns),
          "last loss", repr(loss), "weights", repr(norm))


if __name__ == "__main__":
    main()


# cause: second copy of the model
# loaded: 122
