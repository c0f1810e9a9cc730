# cause: system entropy
import random
import uuid

random.seed(uuid.uuid4().int)  # HERE
print("acc =", random.random())
