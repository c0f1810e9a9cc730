# cause: unseeded generator
import multiprocessing

import numpy as np


def draw(k):
    return k + np.random.rand()  # HERE


if __name__ == "__main__":
    np.random.seed(0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print("sum", sum(pool.map(draw, range(4))))
