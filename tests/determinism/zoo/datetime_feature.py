# cause: clock
import random
from datetime import datetime

random.seed(3)
now = datetime.now()  # HERE
print("score =", random.random() + now.microsecond / 1e6 + now.second)
