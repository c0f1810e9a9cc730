from utils import set_seed
import random
import numpy as np
SEED = «42»
set_seed(SEED)
print(random.random(), np.random.rand())
