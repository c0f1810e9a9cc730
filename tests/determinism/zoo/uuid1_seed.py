# cause: system entropy
import random
import uuid

random.seed(uuid.uuid1().int)  # HERE
print("acc =", random.random())
