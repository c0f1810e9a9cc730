import argparse
import csv
import os
import resource
import sys
import time
from collections import deque

import gymnasium as gym
import numpy as np


class QAgent:
    def __init__(self, n_s, n_a, rng, lr=0.15, gamma=0.98, eps=1.0, eps_min=0.05, decay=0.9985):
        self.q = np.zeros((n_s, n_a))
        self.rng = rng
        self.lr, self.gamma = lr, gamma
        self.eps, self.eps_min, self.decay = eps, eps_min, decay

    def act(self, s, greedy=False):
        if greedy:
            return int(np.argmax(self.q[s]))
        best = np.flatnonzero(self.q[s] == self.q[s].max())
        return int(self.rng.choice(best))

    def learn(self, s, a, r, s2, done):
        target = r + (0 if done else self.gamma * self.q[s2].max())
        self.q[s, a] += self.lr * (target - self.q[s, a])

    def end_episode(self):
        self.eps = max(self.eps_min, self.eps * self.decay)


def rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_env(seed, slippery):
    env = gym.make("FrozenLake-v1", map_name="4x4", is_slippery=slippery, max_episode_steps=100)
    env.reset(seed=seed)
    env.action_space.seed(seed + 1)
    return env


def train(args):
    env = make_env(args.seed, True)
    rng = np.random.default_rng(args.seed)
    agent = QAgent(env.observation_space.n, env.action_space.n, rng)
    window = deque(maxlen=200)
    steps = 0
    t0 = last = time.time()
    fh = open("progress_%d.csv" % os.getpid(), "w", newline="")
    wr = csv.writer(fh)
    wr.writerow(["episode", "success", "eps", "fps", "rss_mb", "time"])
    for ep in range(1, args.episodes + 1):
        s, _ = env.reset()
        done = False
        while not done:
            a = env.action_space.sample() if rng.random() < agent.eps else agent.act(s)
            a = int(a)
            s2, r, term, trunc, _ = env.step(a)
            agent.learn(s, a, r, s2, term)
            s = s2
            done = term or trunc
            steps += 1
        agent.end_episode()
        window.append(r)
        if time.time() - last > 0.25:
            last = time.time()
            sys.stderr.write("\r ep %5d | win %.2f | %6.0f steps/s" % (ep, np.mean(window), steps / (last - t0)))
        if ep % 250 == 0:
            wr.writerow([ep, np.mean(window), agent.eps, steps / (time.time() - t0), rss_mb(), time.time()])
    fh.close()
    sys.stderr.write("\n")
    return agent, steps


def evaluate(agent, seed, n=300):
    env = make_env(seed, True)
    wins = 0
    for _ in range(n):
        s, _ = env.reset()
        done = False
        while not done:
            s, r, term, trunc, _ = env.step(agent.act(s, greedy=True))
            done = term or trunc
        wins += r
    return wins / n


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--episodes", type=int, default=3000)
    ap.add_argument("--seed", type=int, default=3)
    args = ap.parse_args()
    t = time.process_time()
    agent, steps = train(args)
    rate = evaluate(agent, args.seed + 1000)
    print("training steps : %d" % steps)
    print("success rate   : %.4f" % rate)
    print("policy         : %s" % "".join("LDRU"[int(np.argmax(q))] for q in agent.q))
    print("sum Q          : %.8f" % agent.q.sum())
    print("cpu seconds    : %.2f, max rss %.0f MB" % (time.process_time() - t, rss_mb()))

# cause: none
