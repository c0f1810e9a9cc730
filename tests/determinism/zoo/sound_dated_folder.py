# cause: none
import csv
import json
import os
import time
from datetime import datetime

began = time.time()
folder = os.path.join("runs", datetime.now().strftime("%Y%m%d-%H%M%S"))
os.makedirs(folder)
with open(os.path.join(folder, "metrics.json"), "w") as file:
    json.dump({"acc": 0.75, "time": time.time() - began}, file)
with open("history.csv", "w", newline="") as file:
    csv.writer(file).writerows(
        [("epoch", "loss", "time"), (1, 0.5, time.time() - began), (2, 0.25, time.time() - began)]
    )
print("started", began, "saved in", folder)
