"""TD3 on Pendulum: twin critics, delayed policy updates, replay memory stored with every checkpoint."""
import copy
import glob
import os
import time

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED, EPISODES, LENGTH, BATCH, WARMUP, SAVE_EVERY, KEEP = 9, 16, 80, 64, 320, 3, 2
GAMMA, TAU, DELAY = 0.97, 0.01, 2
torch.set_num_threads(1)
torch.manual_seed(SEED)


class Memory:
    def __init__(self, size=1600):
        self.data = np.zeros((size, 3 + 1 + 1 + 3), dtype=np.float32)
        self.pos, self.full = 0, False

    def add(self, s, a, r, n):
        self.data[self.pos] = np.concatenate([s, [a], [r], n])
        self.pos = (self.pos + 1) % len(self.data)
        self.full = self.full or self.pos == 0

    def __len__(self):
        return len(self.data) if self.full else self.pos

    def sample(self, rng, n):
        d = torch.from_numpy(self.data[rng.integers(0, len(self), n)])
        return d[:, :3], d[:, 3:4], d[:, 4:5], d[:, 5:]

    def state(self):
        return {"data": self.data.copy(), "pos": self.pos, "full": self.full}

    def load(self, s):
        self.data, self.pos, self.full = s["data"].copy(), s["pos"], s["full"]


def mlp(a, b, last=None):
    layers = [nn.Linear(a, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, b)]
    return nn.Sequential(*layers, *([last] if last else []))


class Agent:
    def __init__(self):
        self.actor = mlp(3, 1, nn.Tanh())
        self.critic1, self.critic2 = mlp(4, 1), mlp(4, 1)
        self.actor_t, self.critic1_t, self.critic2_t = map(copy.deepcopy, (self.actor, self.critic1, self.critic2))
        self.opt_a = torch.optim.Adam(self.actor.parameters(), lr=1e-3)
        self.opt_c1 = torch.optim.Adam(self.critic1.parameters(), lr=1e-3)
        self.opt_c2 = torch.optim.Adam(self.critic2.parameters(), lr=1e-3)
        self.updates = 0

    def learn(self, batch):
        s, a, r, n = batch
        with torch.no_grad():
            noise = (0.2 * torch.randn_like(a)).clamp(-0.4, 0.4)
            na = (self.actor_t(n) + noise).clamp(-1, 1)
            sn = torch.cat([n, na], 1)
            target = r + GAMMA * torch.min(self.critic1_t(sn), self.critic2_t(sn))
        sa = torch.cat([s, a], 1)
        for critic, opt in ((self.critic1, self.opt_c1), (self.critic2, self.opt_c2)):
            loss = F.mse_loss(critic(sa), target)
            opt.zero_grad()
            loss.backward()
            opt.step()
        self.updates += 1
        if self.updates % DELAY == 0:
            pl = -self.critic1(torch.cat([s, self.actor(s)], 1)).mean()
            self.opt_a.zero_grad()
            pl.backward()
            self.opt_a.step()
            with torch.no_grad():
                for live, slow in ((self.actor, self.actor_t), (self.critic1, self.critic1_t), (self.critic2, self.critic2_t)):
                    for p, q in zip(live.parameters(), slow.parameters()):
                        q.lerp_(p, TAU)
        return loss.item()

    def state(self):
        return {
            "actor": self.actor.state_dict(), "critic1": self.critic1.state_dict(), "critic2": self.critic2.state_dict(),
            "actor_t": self.actor_t.state_dict(), "critic1_t": self.critic1_t.state_dict(),
            "critic2_t": self.critic2_t.state_dict(),
            "opt_a": self.opt_a.state_dict(), "opt_c1": self.opt_c1.state_dict(), "opt_c2": self.opt_c2.state_dict(),
            "updates": self.updates,
        }

    def load(self, s):
        self.actor.load_state_dict(s["actor"])
        self.actor_t.load_state_dict(s["actor_t"])
        self.critic1.load_state_dict(s["critic1"])
        self.critic1_t.load_state_dict(s["critic1_t"])
        self.critic2.load_state_dict(s["critic2"])
        self.critic2_t.load_state_dict(s["critic1_t"])
        self.opt_a.load_state_dict(s["opt_a"])
        self.opt_c1.load_state_dict(s["opt_c1"])
        self.opt_c2.load_state_dict(s["opt_c2"])
        self.updates = s["updates"]


def main():
    agent, memory, rng = Agent(), Memory(), np.random.default_rng(SEED)
    start, steps, scores = 0, 0, []
    files = sorted(glob.glob("td3_*.pt"))
    if files:
        blob = torch.load(files[-1], weights_only=False)
        agent.load(blob["agent"])
        memory.load(blob["memory"])
        start, steps, scores = blob["episode"] + 1, blob["steps"], blob["scores"]
        rng.bit_generator.state = blob["rng"]
        torch.set_rng_state(blob["torch_rng"])
        print(f"continue after episode {blob['episode']} ({len(memory)} transitions)")
    env = gym.make("Pendulum-v1")
    loss = 0.0
    for ep in range(start, EPISODES):
        s, _ = env.reset(seed=SEED * 1000 + ep)
        score = 0.0
        for _ in range(LENGTH):
            if steps < WARMUP:
                a = rng.uniform(-1, 1)
            else:
                with torch.no_grad():
                    a = float(np.clip(agent.actor(torch.from_numpy(s)).item() + 0.1 * rng.normal(), -1, 1))
            n, r, _, _, _ = env.step(np.array([2 * a], dtype=np.float32))
            memory.add(s, a, r / 8, n)
            s, score, steps = n, score + float(r), steps + 1
            if steps >= WARMUP // 2:
                loss = agent.learn(memory.sample(rng, BATCH))
        scores.append(score)
        print(f"{time.strftime('%T')} episode {ep} score {score:.6f} critic_loss {loss:.8f} mean5 {np.mean(scores[-5:]):.4f}")
        if ep % SAVE_EVERY == SAVE_EVERY - 1:
            name = f"td3_{ep:04d}.pt"
            torch.save({"agent": agent.state(), "memory": memory.state(), "episode": ep, "steps": steps, "scores": scores,
                        "rng": rng.bit_generator.state, "torch_rng": torch.get_rng_state()}, name + ".tmp")
            os.replace(name + ".tmp", name)
            for old in sorted(glob.glob("td3_*.pt"))[:-KEEP]:
                os.remove(old)
    ws = sum(p.double().sum().item() for net in (agent.actor, agent.critic1, agent.critic2) for p in net.parameters())
    print(f"final score {np.mean(scores[-5:]):.10f} critic_loss {loss:.10f} weight_sum {ws:.10f}")


if __name__ == "__main__":
    main()


# cause: second copy of the model
# loaded: 110
