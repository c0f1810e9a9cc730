# cause: clock
import random
import time

random.seed(int(time.strftime("%Y%m%d")))  # HERE
print("acc =", random.random())
