# cause: unseeded generator
import numpy as np
from joblib import Parallel, delayed


def draw(k):
    return k + np.random.rand()  # HERE


np.random.seed(0)
print("sum", sum(Parallel(n_jobs=2, batch_size=1)(delayed(draw)(k) for k in range(4))))
