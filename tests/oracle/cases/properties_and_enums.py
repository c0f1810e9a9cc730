import enum
import random
class Config:
    def __init__(self):
        self._seed = «42»
    @property
    def seed(self):
        return self._seed
class Known(enum.Enum):
    SPLIT_SEED = «k|5»
first = random.Random(«k|1»)
random.seed(Config().seed)
print(first.random(), random.random(), random.Random(Known.SPLIT_SEED.value).random())
