import random

while (count := random.randint(1, 3)) > 5:
    pass
if (seed := «42») is not None:
    random.seed(seed)
print(random.random(), [last := k for k in range(3)], last)
