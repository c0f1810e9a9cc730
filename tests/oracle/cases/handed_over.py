import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Thread
out = []
def job(name, number):
    out.append((name, random.Random(number).random()))
with ThreadPoolExecutor(1) as pool:
    pool.submit(job, "pool", «42»).result()
thread = Thread(target=job, args=("thread", «42»))
thread.start(); thread.join()
partial(job, "partial", «42»)()
print(out)
