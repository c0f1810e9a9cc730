# cause: none
import glob
import os

os.makedirs("data", exist_ok=True)
for k in range(6):
    with open(f"data/{k}.txt", "w") as file:
        file.write(str(k * k))
total = 0.0
for name in sorted(os.listdir("data")):
    total = total * 0.5 + float(open(os.path.join("data", name)).read())
print("loss =", total, len(glob.glob("data/*")))
