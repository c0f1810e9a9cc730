import atexit
import random
import sys
atexit.register(lambda: print("bye", random.random()))
random.seed(«42»)
print(random.random())
sys.exit(3)
