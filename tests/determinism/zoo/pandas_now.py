# cause: clock
import random

import pandas as pd

random.seed(pd.Timestamp.now().microsecond)  # HERE
print("loss =", sum(random.random() for _ in range(100)))
