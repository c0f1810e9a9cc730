# cause: files that an earlier run left
import os
import random

random.seed(0)
if os.path.exists("vocabulary.txt"):  # HERE
    size = float(open("vocabulary.txt").read())
else:
    size = 4.92
    with open("vocabulary.txt", "w") as file:
        file.write("5.00")
print("size", size)
