# cause: directory order
import glob
import os

os.makedirs("parts", exist_ok=True)
for k in range(5):
    open(f"parts/p{k}.npy", "w").write("x" * k)
files = glob.glob("parts/*.npy")  # HERE
print("val loss", sum(i * os.path.getsize(f) for i, f in enumerate(files)))
