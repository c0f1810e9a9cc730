# cause: completion order
from concurrent.futures import ThreadPoolExecutor, as_completed


def work(k):
    return k * 1.1


with ThreadPoolExecutor(2) as pool:
    futures = [pool.submit(work, k) for k in range(6)]
    total = 0.0
    for future in as_completed(futures):  # HERE
        total = total * 0.7 + future.result()
print("loss =", total)
