from lib import settings
from lib.tools import make
import numpy as np
np.random.seed(settings.SEED)
print(np.random.rand(), make().random())
if __name__ == "__main__":
    print(settings.__file__.endswith("settings.py"), make.__module__)
