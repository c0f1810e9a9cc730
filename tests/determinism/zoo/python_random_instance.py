# cause: unseeded generator
import random

random.seed(1)
own = random.Random()  # HERE
rows = list(range(20))
own.shuffle(rows)
print("first row:", rows[:3], random.random())
