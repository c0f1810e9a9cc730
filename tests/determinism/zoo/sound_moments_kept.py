import atexit, faulthandler, gc, logging, logging.handlers, os, resource, signal, sys, threading, time
import random
import numpy as np

# ---- tabular Q-learning with eligibility traces in a windy grid world ----

faulthandler.enable()
os.makedirs("logs", exist_ok=True)
handler = logging.handlers.RotatingFileHandler(
    f"logs/q.{os.getpid()}.log", maxBytes=6000, backupCount=4)
handler.setFormatter(logging.Formatter(
    "%(asctime)s.%(msecs)03d [%(process)d/%(threadName)s] +%(relativeCreated)dms %(message)s", "%H:%M:%S"))
log = logging.getLogger("q")
log.addHandler(handler)
log.setLevel(logging.DEBUG)

H, W = 7, 10
WIND = [0, 0, 0, 1, 1, 1, 2, 2, 1, 0]
START, GOAL = (3, 0), (3, 7)
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]


class Watchdog(threading.Thread):
    def __init__(self, limit):
        super().__init__(name="watchdog-%d" % time.time_ns(), daemon=True)
        self.limit, self.beat, self.stop, self.samples = limit, time.monotonic(), threading.Event(), []

    def run(self):
        while not self.stop.wait(0.05):
            age = time.monotonic() - self.beat
            rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self.samples.append((age, rss))
            log.debug("last heartbeat %.4f s ago, maxrss %d kB", age, rss)
            if age > self.limit:
                log.error("stuck?")
                faulthandler.dump_traceback(file=sys.stderr)


def on_usr1(signum, frame):
    log.info("signal %s at line %s of %r", signal.Signals(signum).name, frame.f_lineno, frame.f_code)


signal.signal(signal.SIGUSR1, on_usr1)
atexit.register(lambda: print("bye from", os.getpid(), "after", round(time.process_time(), 3), "cpu s"))


def step(s, a, rng):
    dr, dc = MOVES[a]
    gust = WIND[s[1]] + rng.choice((-1, 0, 0, 1)) * (WIND[s[1]] > 0)
    r = min(max(s[0] + dr - gust, 0), H - 1)
    c = min(max(s[1] + dc, 0), W - 1)
    return (r, c), (0.0 if (r, c) == GOAL else -1.0)


def episode(Q, rng, eps, alpha=0.1, gamma=0.98, lam=0.6, learn=True):
    E = np.zeros_like(Q)
    s, total = START, 0.0
    for t in range(200):
        a = rng.randrange(4) if rng.random() < eps else int(Q[s].argmax())
        s2, r = step(s, a, rng)
        if learn:
            delta = r + gamma * Q[s2].max() * (s2 != GOAL) - Q[s][a]
            E *= gamma * lam
            E[s][a] = 1.0
            Q += alpha * delta * E
        total += r
        s = s2
        if s == GOAL:
            break
    return total


rng = random.Random(31415)
Q = np.zeros((H, W, 4))
dog = Watchdog(2.0)
dog.start()
alarm = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
alarm.daemon = True
alarm.start()
returns = []
tic = time.time()
for ep in range(7000):
    returns.append(episode(Q, rng, eps=max(0.02, 0.4 * 0.9992 ** ep)))
    dog.beat = time.monotonic()
    if ep % 50 == 0:
        log.info("episode %d return %.0f gc=%s", ep, returns[-1], gc.get_count())
alarm.cancel()
test = [episode(Q, rng, eps=0.0, learn=False) for _ in range(300)]
dog.stop.set()
dog.join()
np.savez("qtable.npz", Q=Q, returns=returns, test=test, wall=time.time() - tic,
         heartbeat=np.array([x[0] for x in dog.samples]))
print("%s finished in %.2f jiffies" % (dog, (time.time() - tic) * 100))
print("gc:", gc.get_stats()[0], "refs to None:", sys.getrefcount(None))
print(f"train return (last 100): {np.mean(returns[-100:]):.4f}")
print(f"test return: {np.mean(test):.6f} +- {np.std(test):.6f}")

# cause: none
