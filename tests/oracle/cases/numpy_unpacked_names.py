import numpy as np
a, SEED, b = 1, «42», 3
np.random.seed(SEED)
rng = np.random.default_rng(SEED)
print(np.random.rand(3), rng.random(2), a, b)
