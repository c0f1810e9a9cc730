# cause: hash order of strings
import random

random.seed(hash("experiment"))  # HERE
print("acc =", random.random())
