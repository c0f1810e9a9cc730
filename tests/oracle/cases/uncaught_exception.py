import random
def fail(): raise ValueError(f"diverged after {random.random()}")
random.seed(«42»)
print("starting", __name__, __file__ == __import__("sys").argv[0], __spec__, __package__)
try:
    1 / 0
except ZeroDivisionError:
    fail()
