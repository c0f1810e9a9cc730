# cause: unseeded generator
# and: hash order of strings
import numpy as np

names = {"adam", "eve", "cain", "abel", "seth", "noah"}
rng = np.random.default_rng()  # HERE
total = 0.0
for name in names:
    total = total * 0.5 + len(name) + ord(name[0])
print("score", total + rng.random())
