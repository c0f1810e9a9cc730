"""DQN on a small grid with a wandering ghost."""
import os
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn

torch.set_num_threads(1)
SIZE, EPISODES, BATCH, GAMMA = 6, 120, 32, 0.95
CKPT = "dqn.pt"


class Grid:
    moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def reset(self):
        self.pos, self.ghost, self.t = [0, 0], [SIZE // 2, SIZE // 2], 0
        return self.obs()

    def obs(self):
        return np.array(self.pos + self.ghost, dtype=np.float32) / (SIZE - 1)

    def step(self, a):
        for who, m in ((self.pos, self.moves[a]), (self.ghost, random.choice(self.moves))):
            for k in (0, 1):
                who[k] = min(SIZE - 1, max(0, who[k] + m[k]))
        self.t += 1
        if self.pos == self.ghost:
            return self.obs(), -1.0, True
        if self.pos == [SIZE - 1, SIZE - 1]:
            return self.obs(), 1.0, True
        return self.obs(), -0.01, self.t >= 40


def make_net():
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))


random.seed(0)
torch.manual_seed(0)
env, policy, target = Grid(), make_net(), make_net()
target.load_state_dict(policy.state_dict())
opt = torch.optim.Adam(policy.parameters(), lr=1e-3)
memory = deque(maxlen=2000)
first, steps, loss_avg = 0, 0, 0.0
if os.path.exists(CKPT):
    c = torch.load(CKPT, weights_only=False)
    policy.load_state_dict(c["policy"])
    target.load_state_dict(c["target"])
    opt.load_state_dict(c["opt"])
    first, steps, loss_avg = c["episode"], c["steps"], c["loss_avg"]
    random.setstate(c["random"])

for episode in range(first, EPISODES):
    s, done = env.reset(), False
    while not done:
        eps = max(0.05, 1.0 - steps / 1500)
        if random.random() < eps:
            a = random.randrange(4)
        else:
            with torch.no_grad():
                a = policy(torch.from_numpy(s)).argmax().item()
        s2, r, done = env.step(a)
        memory.append((s, a, r, s2, done))
        s = s2
        steps += 1
        if len(memory) >= BATCH:
            b = random.sample(memory, BATCH)
            S, A, R, S2, D = (torch.tensor(np.array(v)) for v in zip(*b))
            with torch.no_grad():
                goal = R.float() + GAMMA * target(S2).max(1).values * (~D).float()
            loss = nn.functional.smooth_l1_loss(policy(S).gather(1, A[:, None]).squeeze(1), goal)
            opt.zero_grad()
            loss.backward()
            opt.step()
            loss_avg = 0.99 * loss_avg + 0.01 * loss.item()
        if steps % 100 == 0:
            target.load_state_dict(policy.state_dict())
    if (episode + 1) % 20 == 0:
        print(f"episode {episode + 1} steps {steps} eps {eps:.2f} loss {loss_avg:.5f}")
        torch.save({"policy": policy.state_dict(), "target": target.state_dict(), "opt": opt.state_dict(),
                    "episode": episode + 1, "steps": steps, "loss_avg": loss_avg, "random": random.getstate()}, CKPT)
print(f"final loss {loss_avg:.10f}")

# cause: replay memory (memory
# loaded: 49
