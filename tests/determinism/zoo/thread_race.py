# cause: completion order
import threading

results = []


def work(k):
    results.append(k)


threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
for thread in threads:
    thread.start()  # HERE
for thread in threads:
    thread.join()
print("order", results)
