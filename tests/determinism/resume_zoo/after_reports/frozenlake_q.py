"""Tabular double Q-learning on FrozenLake with gymnasium."""
import json
import os
import pickle
import time

import gymnasium as gym
import numpy as np

EPISODES = 6000
EVERY = 500
GAMMA = 0.98
CKPT = "qtable.pkl"
BACKUP = "qtable.prev.pkl"


class Learner:
    def __init__(self, n_states, n_actions, seed):
        self.rng = np.random.default_rng(seed)
        self.qa = self.rng.normal(0, 1e-3, (n_states, n_actions))
        self.qb = self.rng.normal(0, 1e-3, (n_states, n_actions))
        self.visits = np.zeros((n_states, n_actions), dtype=np.int64)
        self.episode = 0
        self.returns = []
        self.best_eval = (-1.0, -1)

    @property
    def eps(self):
        return max(0.05, 1.0 - self.episode / 3000)

    def act(self, s):
        if self.rng.random() < self.eps:
            return int(self.rng.integers(4))
        q = self.qa[s] + self.qb[s]
        return int(self.rng.choice(np.flatnonzero(q == q.max())))

    def update(self, s, a, r, s2, done):
        self.visits[s, a] += 1
        lr = max(0.05, self.visits[s, a] ** -0.7)
        x, y = (self.qa, self.qb) if self.rng.random() < 0.5 else (self.qb, self.qa)
        target = r if done else r + GAMMA * y[s2, int(x[s2].argmax())]
        x[s, a] += lr * (target - x[s, a])


def evaluate(learner, episodes=60):
    env = gym.make("FrozenLake-v1", map_name="4x4", is_slippery=True)
    wins = 0.0
    for k in range(episodes):
        s, _ = env.reset(seed=50_000 + k)
        over = False
        while not over:
            s, r, term, trunc, _ = env.step(int((learner.qa[s] + learner.qb[s]).argmax()))
            over = term or trunc
            wins += r
    env.close()
    return wins / episodes


def write(learner):
    if os.path.exists(CKPT):
        os.replace(CKPT, BACKUP)
    with open("q.tmp", "wb") as fh:
        pickle.dump(learner, fh)
    os.replace("q.tmp", CKPT)


def read():
    for path in (CKPT, BACKUP):
        if os.path.exists(path):
            with open(path, "rb") as fh:
                return pickle.load(fh), path
    return None, None


def main():
    env = gym.make("FrozenLake-v1", map_name="4x4", is_slippery=True)
    learner, path = read()
    if learner is None:
        learner = Learner(env.observation_space.n, env.action_space.n, seed=19)
    else:
        print(f"read {path}: episode {learner.episode}, eps {learner.eps:.3f}")
    t0 = time.time()
    while learner.episode < EPISODES:
        s, _ = env.reset(seed=learner.episode)
        total, over = 0.0, False
        while not over:
            a = learner.act(s)
            s2, r, term, trunc, _ = env.step(a)
            learner.update(s, a, r, s2, term)
            s, total, over = s2, total + r, term or trunc
        learner.returns.append(total)
        learner.episode += 1
        if learner.episode % EVERY == 0:
            score = evaluate(learner)
            if score > learner.best_eval[0]:
                learner.best_eval = (score, learner.episode)
            rate = learner.episode / (time.time() - t0)
            print(f"episode {learner.episode} success {np.mean(learner.returns[-EVERY:]):.4f} "
                  f"greedy {score:.4f} eps {learner.eps:.3f} ({rate:.0f} ep/s)")
            write(learner)

    score = evaluate(learner, 200)
    print(f"final greedy {score:.6f} best {learner.best_eval[0]:.6f} at {learner.best_eval[1]} "
          f"mean return {np.mean(learner.returns):.6f}")
    np.savez("q_final.npz", qa=learner.qa, qb=learner.qb, visits=learner.visits)
    with open("q_returns.json", "w") as fh:
        json.dump(learner.returns, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
