# cause: process number
import os
import random

random.seed(os.getpid())  # HERE
print("acc =", random.random())
