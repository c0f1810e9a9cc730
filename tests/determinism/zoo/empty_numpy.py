# cause: uninitialised memory
import numpy as np

np.random.seed(0)
sums = np.empty(4)  # HERE
for k in range(3):
    sums[k] = np.random.rand()
print("loss =", np.nanmax(sums[:3]) + (0.0 if sums[3] == sums[3] and abs(sums[3]) < 1e300 else 1.0))
