# cause: completion order
import multiprocessing

import numpy as np


def draw(k):
    total = sum(i * i for i in range(20_000 * (k % 3)))
    return np.random.rand() + 0 * total


if __name__ == "__main__":
    np.random.seed(0)
    with multiprocessing.Pool(2) as pool:  # HERE
        values = pool.map(draw, range(40), chunksize=1)
    print("score =", sum(v * k for k, v in enumerate(values)))
