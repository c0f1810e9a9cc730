# cause: unseeded generator
import numpy as np

np.random.seed(1)
rng = np.random.default_rng()  # HERE
x = np.random.rand(50)
print("loss =", float((x * rng.random(50)).mean()))
