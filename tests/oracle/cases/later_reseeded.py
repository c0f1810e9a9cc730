import random
random.seed(«0»)
print(random.random())
random.seed(«k|1»)
print(random.random())
