# cause: clock
import random
import time

random.seed(5)
day = int(time.time() // 86400)  # HERE
print("acc =", random.random() + day % 7)
