# cause: unseeded generator
import numpy as np

np.random.seed(0)
data = np.random.rand(30)


def split(x, random_state=None):
    chooser = np.random.RandomState(random_state)  # HERE
    return chooser.permutation(x)[:10]


print("mean:", split(data).mean())
