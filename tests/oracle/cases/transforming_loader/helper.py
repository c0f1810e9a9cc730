import random

SEED = «42»
random.seed(SEED)
said = "quiet"


def draw():
    return random.random()
