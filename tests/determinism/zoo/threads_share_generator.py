# cause: completion order
import threading
import time

import numpy as np

rng = np.random.default_rng(0)
drawn = {k: 0.0 for k in range(3)}


def work(k):
    for _ in range(60):
        time.sleep(0.0005)
        drawn[k] = drawn[k] * 0.9 + rng.random()


threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
for thread in threads:
    thread.start()  # HERE
for thread in threads:
    thread.join()
print("drawn", drawn)
