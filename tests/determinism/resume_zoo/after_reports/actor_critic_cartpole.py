"""Actor-critic on CartPole (gymnasium) with observation scaling; checkpoint every 25 episodes."""
import json
import os

import gymnasium as gym
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 2
EPISODES = 150
EVERY = 25
GAMMA = 0.98
CKPT = "ac_checkpoint.pt"

torch.set_num_threads(1)


class RunningMeanStd:
    def __init__(self, dim):
        self.mean, self.var, self.count = np.zeros(dim), np.ones(dim), 1e-4

    def push(self, x):
        batch_mean, batch_var, n = x.mean(0), x.var(0), len(x)
        delta, total = batch_mean - self.mean, self.count + n
        m2 = self.var * self.count + batch_var * n + delta ** 2 * self.count * n / total
        self.mean = self.mean + delta * n / total
        self.var, self.count = m2 / total, total

    def __call__(self, x):
        return np.clip((x - self.mean) / np.sqrt(self.var + 1e-8), -5, 5)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh())
        self.pi, self.v = nn.Linear(48, 2), nn.Linear(48, 1)

    def forward(self, x):
        h = self.body(x)
        return self.pi(h), self.v(h)[:, 0]


def rollout(env, model, obs_norm, episode):
    obs, _ = env.reset(seed=SEED * 10_000 + episode)
    raw, states, actions, rewards, over = [], [], [], [], False
    while not over:
        raw.append(obs)
        s = torch.tensor(obs_norm(obs), dtype=torch.float32)
        with torch.no_grad():
            logits, _ = model(s[None])
        a = int(torch.multinomial(F.softmax(logits[0], -1), 1))
        obs, r, term, trunc, _ = env.step(a)
        states.append(s)
        actions.append(a)
        rewards.append(r)
        over = term or trunc
    return np.array(raw), torch.stack(states), torch.tensor(actions), rewards


def discounted(rewards):
    out, acc = [], 0.0
    for r in reversed(rewards):
        acc = r + GAMMA * acc
        out.append(acc)
    return np.array(out[::-1])


def update(model, opt, states, actions, target, beta):
    target = torch.tensor(target, dtype=torch.float32)
    for _ in range(2):
        logits, value = model(states)
        logp = F.log_softmax(logits, -1)
        adv = (target - value).detach()
        entropy = -(logp.exp() * logp).sum(-1).mean()
        loss = (-(logp.gather(1, actions[:, None])[:, 0] * adv).mean()
                + 0.5 * F.mse_loss(value, target) - beta * entropy)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
    return loss.item()


def main():
    torch.manual_seed(SEED)
    env = gym.make("CartPole-v1", max_episode_steps=200)
    model = ActorCritic()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    obs_norm = RunningMeanStd(4)
    start, lengths = 0, []
    if os.path.exists(CKPT):
        ck = torch.load(CKPT, weights_only=False)
        model.load_state_dict(ck["model"])
        opt.load_state_dict(ck["opt"])
        torch.set_rng_state(ck["rng"])
        start, lengths = ck["episode"], ck["lengths"]
        print(f"loaded {CKPT} at episode {start}")

    for episode in range(start, EPISODES):
        raw, states, actions, rewards = rollout(env, model, obs_norm, episode)
        target = discounted(rewards) / 20.0
        beta = 0.02 * (1 - episode / EPISODES)
        loss = update(model, opt, states, actions, target, beta)
        obs_norm.push(raw)
        lengths.append(len(rewards))
        if (episode + 1) % EVERY == 0:
            print(f"episode {episode + 1} mean length {np.mean(lengths[-EVERY:]):.2f} loss {loss:.4f}")
            blob = {"model": model.state_dict(), "opt": opt.state_dict(), "rng": torch.get_rng_state(),
                    "episode": episode + 1, "lengths": lengths}
            torch.save(blob, CKPT + ".tmp")
            os.replace(CKPT + ".tmp", CKPT)

    print(f"final mean length {np.mean(lengths[-50:]):.4f} total {sum(lengths)}")
    torch.save(model.state_dict(), "ac_final.pt")
    with open("ac_lengths.json", "w") as fh:
        json.dump(lengths, fh)


if __name__ == "__main__":
    main()

# cause: what an object has counted (obs_norm.mean, obs_norm.var, obs_norm.count
# loaded: 95
