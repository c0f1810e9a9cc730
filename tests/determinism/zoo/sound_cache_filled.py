# cause: none
import json
import os
import random

random.seed(0)
if os.path.exists("cache.json"):
    values = json.load(open("cache.json"))
else:
    values = [random.random() for _ in range(4)]
    with open("cache.json", "w") as file:
        json.dump(values, file)
with open("runs.log", "a") as file:
    file.write("one more\n")
print("sum", sum(values))
