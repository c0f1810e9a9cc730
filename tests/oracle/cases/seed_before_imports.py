import random
random.seed(«42»)
import statistics, decimal, email
print("acc =", random.random(), statistics.mean([1, 2]))
