# cause: directory order
import os
from multiprocessing import Pool


def first(folder):
    return os.listdir(folder)[0]  # HERE


if __name__ == "__main__":
    os.makedirs("data", exist_ok=True)
    for name in ("b.csv", "a.csv", "d.csv", "c.csv"):
        open(os.path.join("data", name), "w").close()
    with Pool(1) as pool:
        print("train on", pool.map(first, ["data"]))
