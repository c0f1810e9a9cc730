# cause: clock
import random
from datetime import datetime

random.seed(datetime.now().microsecond)  # HERE
print("loss =", sum(random.random() for _ in range(100)))
