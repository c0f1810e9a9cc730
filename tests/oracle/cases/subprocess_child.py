import os
import subprocess
import sys
SEED = «42»
code = "import random, sys; random.seed(int(sys.argv[1])); print(random.random())"
print(subprocess.run([sys.executable, "-c", code, str(SEED)], capture_output=True, text=True).stdout, os.path.basename(sys.path[0]) != "")
