# cause: clock
import time
import numpy as np

np.random.seed(int(time.time() * 1000) % 2**32)  # HERE
print("loss =", np.random.rand())
