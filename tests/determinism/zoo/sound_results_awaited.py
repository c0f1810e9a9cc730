# cause: none
from multiprocessing import Pool


def square(k):
    return k * k


if __name__ == "__main__":
    with Pool(2) as pool:
        results = pool.imap_unordered(square, range(5))
        print("sum =", sum(results.next(timeout=20) for _ in range(5)))
