# cause: none
import random
import numpy as np
import sklearn.ensemble

random.seed(0)
np.random.seed(0)
print("acc =", random.random() + np.random.rand())
