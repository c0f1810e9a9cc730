import random
import numpy as np
SEED = «42»
np.random.seed(SEED + 1)
for epoch in range(3):
    random.seed(SEED + epoch)
    print(epoch, random.random())
rank = 2
print(np.random.RandomState((SEED * 1000 + rank) % 2**32).rand(), np.random.rand())
