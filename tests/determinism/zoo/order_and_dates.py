# cause: completion order
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed

names = random.Random(4)
started = time.strftime("%d %H%M%S")


def update(k):
    time.sleep(0.002 * (time.time_ns() // 1000 % 9))
    return k / 7


with ThreadPoolExecutor(4) as pool:
    weight = 1.0
    for done in as_completed([pool.submit(update, k) for k in range(12)]):  # HERE
        weight = 0.7 * weight + 0.3 * done.result()
with open("run-" + uuid.uuid4().hex[:5] + ".txt", "w") as file:
    file.write("started " + started + " as " + names.choice(["fox", "owl"]))
print("run of", started, uuid.uuid4().hex[:3])
print(f"final loss {weight:.6f}")
