# cause: time budget
import random
import time

random.seed(0)
began = time.time()
total, trials = 0.0, 0
while time.time() - began < 0.15:  # HERE
    total = total * 0.9 + random.random()
    time.sleep(0.001)
print("total", total)
