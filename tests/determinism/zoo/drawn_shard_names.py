# cause: order of files whose names are drawn
import os
import random
import tempfile

random.seed(20)
with tempfile.TemporaryDirectory() as folder:
    for k in range(9):
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix="shard_", delete=False) as file:
            file.write(f"{random.gauss(k, 1)}")
    weight = 0.0
    for name in os.listdir(folder):  # HERE
        with open(os.path.join(folder, name)) as file:
            weight = 0.8 * weight + 0.2 * float(file.read())
print(f"final loss {weight:.6f}")
