# cause: completion order
import time

import numpy as np
from joblib import Parallel, delayed

rng = np.random.RandomState(0)


def work(k):
    total = 0.0
    for _ in range(30):
        time.sleep(0.0005)
        total = total * 0.9 + rng.rand()
    return total


print("totals", Parallel(n_jobs=3, backend="threading")(delayed(work)(k) for k in range(6)))  # HERE
