# cause: none
import random
import time

random.seed(3)
best, trials, began = 1.0, 0, time.time()
while trials < 400:
    best = min(best, random.random())
    trials += 1
    if time.time() - began > 120:
        raise SystemExit("too slow")
print("best", best, "after", trials)
