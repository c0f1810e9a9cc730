# cause: none
import random
import time

began = time.time()
random.seed(0)
value = random.random()
print("acc =", value)
print(f"took {time.time() - began:.6f} seconds, done at {time.strftime('%Y-%m-%d %H:%M:%S')}")
