"""Gymnasium: the environment, its action space and the learner each own a generator."""

import gymnasium
import numpy as np

env = gymnasium.make("CartPole-v1")
env.action_space.seed(42)  # seed site
rng = np.random.default_rng(42)  # seed site
weights, best = np.zeros(4), 0.0
observation, _ = env.reset(seed=42)  # seed site
for trial in range(60):
    candidate = weights + rng.normal(0, 0.5, 4)
    total = 0.0
    observation, _ = env.reset()
    for _ in range(200):
        action = int(candidate @ observation > 0) if rng.random() > 0.05 else env.action_space.sample()
        observation, reward, ended, cut, _ = env.step(action)
        total += float(reward)
        if ended or cut:
            break
    if total >= best:
        weights, best = candidate, total
print(f"best_return = {best:.0f} | weight_norm = {np.linalg.norm(weights):.6f}")
