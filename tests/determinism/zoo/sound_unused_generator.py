# cause: none
import random
import numpy as np

spare = np.random.default_rng()
other = random.Random()
random.seed(4)
print("acc =", random.random())
