import random
def setup(n):
    random.seed(n)
