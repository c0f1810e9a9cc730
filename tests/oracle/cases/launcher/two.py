import random
random.seed(«k|2»)
print(random.random())
