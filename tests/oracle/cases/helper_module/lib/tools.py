import random
from .settings import SEED

def make():
    return random.Random(SEED)

if __name__ == "__main__":
    random.seed(5)
