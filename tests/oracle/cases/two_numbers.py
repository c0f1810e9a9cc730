import random
import numpy as np
from numpy.random import seed
seed(«1»)
random.seed(«k|2»)
print(np.random.rand(2), random.random())
