# cause: hash order of strings
from collections import Counter

names = {"adam", "eve", "cain", "abel", "seth", "noah"}
counts = Counter()
counts.update(names)  # HERE
print("most common", counts.most_common(2))
