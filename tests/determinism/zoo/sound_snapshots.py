# cause: none
import pickle
import random
import time

random.seed(8)
last, saved, best = time.monotonic(), 0, float("inf")
for step in range(300_000):
    best = min(best, abs(random.gauss(0.5, 0.2) - random.random()) + 0.1 / (step + 1))
    if step % 50 == 0 and time.monotonic() - last > 0.03:
        last = time.monotonic()
        with open(f"snapshot_{time.monotonic_ns()}.pkl", "wb") as file:
            pickle.dump({"step": step, "best": best}, file)
        saved += 1
        print("saved number", saved, "at step", step)
print(f"final loss: {best:.9f}")
