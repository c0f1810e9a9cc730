# cause: unseeded generator
import multiprocessing
import random


def draw(out):
    out.put(random.random())  # HERE


if __name__ == "__main__":
    random.seed(0)
    context = multiprocessing.get_context("fork")
    out = context.SimpleQueue()
    child = context.Process(target=draw, args=(out,))
    child.start()
    child.join()
    print("drawn", out.get() + random.random())
