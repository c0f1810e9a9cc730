# cause: unseeded generator
import random
import numpy as np

random.seed(7)
order = np.random.permutation(10)  # HERE
print("accuracy:", 0.5 + order[0] / 100, random.random())
