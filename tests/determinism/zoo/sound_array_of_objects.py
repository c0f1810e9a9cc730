# cause: none
import numpy as np

table = np.empty(3, dtype=object)
names = np.empty(2, dtype="U5")
print([value is None for value in table], list(names))
