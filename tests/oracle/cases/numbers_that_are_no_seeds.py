import argparse, os, random
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=«42»)
parser.add_argument("--epoch", type=int, default=3)
parser.add_argument("--use_seed", type=int, default=1)
args = parser.parse_args()
class Sampler:
    epoch = 0
    def order(self, n):
        return random.Random(self.epoch).sample(range(n), n)
class Trainer:
    def run(self, epochs, steps):
        return epochs * steps
class Loader:
    def run(self, n, seed=None):
        random.seed(seed)
        return random.random()
def set_seed(n_gpu, seed):
    random.seed(seed + n_gpu * 0)
def make_seeds(n):
    return list(range(n))
set_seed(2, args.seed)
rank = int(os.environ.get("RANK", 0))
rows = []
rows.insert(0, ("seed", 42))
print(random.random(), args.epoch, args.use_seed, Sampler().order(3), Trainer().run(10, 100), make_seeds(5), rank == 0)
print("a seed b".split("seed", 1), "seed".replace("seed", "S", 1), rows, random.Random(rank).random())
