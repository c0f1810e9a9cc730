# cause: system entropy
import os
import numpy as np

seed = int.from_bytes(os.urandom(4), "big")  # HERE
np.random.seed(seed)
print("loss =", np.random.rand())
