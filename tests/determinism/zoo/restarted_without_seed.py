# cause: unseeded generator
import numpy as np

np.random.seed(0)
np.random.seed(None)  # HERE
print("acc =", np.random.rand())
