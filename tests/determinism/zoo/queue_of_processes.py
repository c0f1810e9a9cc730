# cause: completion order
import multiprocessing
import time


def work(k, out):
    time.sleep(0.001)
    out.put(k)


if __name__ == "__main__":
    out = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=work, args=(k, out)) for k in range(4)]
    for process in processes:
        process.start()  # HERE
    total = 0.0
    for _ in processes:
        total = total * 0.5 + out.get()
    print("total", total)
    for process in processes:
        process.join()
