import inspect
import random
import sys
SEED = «42»  # ünïcödé before: columns count in bytes
def draw():
    return random.Random(«42»).random()
print(inspect.getsource(draw), inspect.getsourcelines(sys.modules["__main__"])[1])
é, seed = "ä", «42»; print(é, seed, draw(), __doc__, sorted(k for k in globals() if not k.startswith("_")), __annotations__)
