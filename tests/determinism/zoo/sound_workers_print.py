# cause: none
import time
from multiprocessing import Pool
from threading import Thread


def square(k):
    time.sleep(0.002 * (k % 3))
    print("working on", k, flush=True)
    return k * k


def talk(k):
    time.sleep(0.001)
    print("thread", k)


if __name__ == "__main__":
    with Pool(2) as pool:
        values = pool.map(square, range(8), chunksize=1)
    threads = [Thread(target=talk, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = 0.0
    for value in values:
        total = total * 0.5 + value
    print("total", total)
