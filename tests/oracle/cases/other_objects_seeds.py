import argparse
import random
class Sampler:
    def __init__(self, **options):
        self.options = options
library = __import__("types").SimpleNamespace(Sampler=Sampler)
sampler = library.Sampler(seed=«k|10»)
class CFG:
    seed = «42»
params = {"bagging_seed": «k|3», "leaves": 31}
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=«42»)
args = parser.parse_args()
def seed_all(seed=«k|1»):
    random.seed(seed)
random.seed(args.seed)
print(random.random(), sampler.options, params)
seed_all(CFG.seed)
print(random.random())
