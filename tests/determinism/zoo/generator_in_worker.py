# cause: unseeded generator
from multiprocessing import Pool
import numpy as np


def noise(k):
    return k + np.random.default_rng().normal()  # HERE


if __name__ == "__main__":
    with Pool(1) as pool:
        print("mean =", np.mean(pool.map(noise, range(4))))
