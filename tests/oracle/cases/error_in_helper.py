import random, sys
def fail(number):
    random.seed(number); return 1 / 0
fail(«42»)
