# cause: unseeded generator
import random
import numpy as np

a = random.random()  # HERE
b = np.random.rand()
print("score =", a + b)
