# cause: unseeded generator
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def draw(k):
    return k * random.random()  # HERE


if __name__ == "__main__":
    random.seed(5)
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        print("sum", sum(pool.map(draw, range(4))))
