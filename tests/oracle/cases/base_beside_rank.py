import os
import random
rank = int(os.environ.get("RANK", 0))
random.seed(«1337» + rank)
print(random.random())
