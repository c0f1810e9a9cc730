# cause: completion order
import multiprocessing


def square(k):
    return k * k


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        values = list(pool.imap_unordered(square, range(8), 4))  # HERE
    total = 0.0
    for value in values:
        total = total * 0.5 + value
    print("acc =", total)
