import random
import sys
seed = int(sys.argv[1]) if len(sys.argv) > 1 else «42»
other = None
random.seed(other or «42»)
print(seed, random.random())
