# cause: none
import multiprocessing
import random


def draw(k):
    random.seed(100 + k)
    return random.random()


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        forked = pool.map(draw, range(5))
    print("sum =", sum(forked))
