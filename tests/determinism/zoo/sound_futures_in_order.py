# cause: none
from concurrent.futures import ThreadPoolExecutor, as_completed


def work(k):
    return k * 1.1


with ThreadPoolExecutor(2) as pool:
    futures = {pool.submit(work, k): k for k in range(6)}
    values = [0.0] * 6
    for future in as_completed(futures):
        values[futures[future]] = future.result()
total = 0.0
for value in values:
    total = total * 0.7 + value
print("loss =", total)
