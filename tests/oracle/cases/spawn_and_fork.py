import multiprocessing as mp
import random
import numpy as np
SEED = «42»
def work(k):
    rng = np.random.default_rng(SEED + k)
    return float(rng.random())
if __name__ == "__main__":
    random.seed(SEED)
    for method in ("fork", "spawn"):
        with mp.get_context(method).Pool(2) as pool:
            print(method, pool.map(work, range(4)), random.random())
