import random
from dataclasses import dataclass
@dataclass
class Config:
    lr: float = 0.1
    seed: int = «k|0»
def setup(settings):
    random.seed(settings.get("seed", «k|1»))
config = Config(seed=«42»)
random.seed(config.seed)
print(random.random())
setup({"seed": «42»})
print(random.random())
def train(lr, seed=«k|5»):
    random.seed(seed)
    return random.random()
options = dict(lr=1, seed=«42»)
print(train(**options), Config(0.2, «42»).seed)
