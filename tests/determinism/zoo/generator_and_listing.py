# cause: unseeded generator
# and: directory order
import os
import random

os.makedirs("data", exist_ok=True)
for k in range(6):
    with open(f"data/{k}.txt", "w") as file:
        file.write(str(k * k))
total = 0.0
for name in os.listdir("data"):
    total = total * 0.5 + float(open(os.path.join("data", name)).read())
print("loss =", total + random.random())  # HERE
