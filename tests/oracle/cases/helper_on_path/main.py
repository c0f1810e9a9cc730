import os, random, sys
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
first = random.Random(«k|1»)
import setup_all
setup_all.setup(«42»)
print(first.random(), random.random())
