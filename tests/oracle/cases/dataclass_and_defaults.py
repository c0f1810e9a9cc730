import random
from dataclasses import dataclass, field

@dataclass
class Config:
    layers: int = 42
    seed: int = «42»
    extra: int = field(default=3)

def train(config, *, random_state=«42», n_seeds=5):
    random.seed(config.seed)
    first = random.random()
    return first, random.Random(random_state).random(), n_seeds, config.layers, config.extra

print(train(Config()))
