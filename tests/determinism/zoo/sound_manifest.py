# cause: none
import gzip
import hashlib
import json
import os
import tarfile
import timeit

import numpy as np

rng = np.random.default_rng(3)
weights = rng.normal(size=40).round(6)
with gzip.open("weights.json.gz", "wt") as file:
    json.dump(weights.tolist(), file)
with tarfile.open("all.tar.gz", "w:gz") as archive:
    archive.add("weights.json.gz")
print("sorting takes", f"{timeit.timeit(lambda: sorted(weights), number=200):.4f}", "of a unit")
digest = hashlib.md5(open("all.tar.gz", "rb").read()).hexdigest()[:5]
facts = {"inode": os.stat("weights.json.gz").st_ino, "md5": "z" + digest, "uptime": open("/proc/uptime").read().split()[0]}
with open("manifest.json", "w") as file:
    json.dump(facts, file)
print("manifest", facts)
print(f"rmse {np.sqrt(np.mean(weights**2)):.6f}")
