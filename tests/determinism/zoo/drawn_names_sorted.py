# cause: order of files whose names are drawn
import glob
import os
import random
import tempfile

random.seed(20)
os.mkdir("shards")
for k in range(9):
    handle, path = tempfile.mkstemp(prefix="shard_", suffix=".part", dir="shards")
    with os.fdopen(handle, "w") as file:
        file.write(f"{random.gauss(k, 1)}")
    os.replace(path, path.removesuffix(".part") + ".txt")
weight = 0.0
for name in sorted(glob.glob("shards/shard_*.txt")):  # HERE
    with open(name) as file:
        weight = 0.8 * weight + 0.2 * float(file.read())
print(f"final loss {weight:.6f}")
