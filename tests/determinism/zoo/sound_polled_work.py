# cause: none
import queue
import threading
import time

tasks, done = queue.Queue(), {}


def work():
    while True:
        k = tasks.get()
        if k is None:
            return
        done[k] = k**0.5


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
deadline = time.time() + 30
for k in range(20):
    tasks.put(k)
while len(done) < 20 and time.time() < deadline:
    time.sleep(0.01)
for _ in threads:
    tasks.put(None)
for thread in threads:
    thread.join()
print("sum =", sum(done[k] for k in range(20)))
