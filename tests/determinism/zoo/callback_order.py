# cause: completion order
from multiprocessing import Pool


def work(k):
    return k * 0.5


if __name__ == "__main__":
    results = []
    with Pool(2) as pool:
        waiting = [pool.apply_async(work, (k,), callback=results.append) for k in range(6)]  # HERE
        [one.get() for one in waiting]
    total = 0.0
    for value in results:
        total = total * 0.9 + value
    print("score =", total)
