import random
import numpy as np

def set_seed(seed=«k|1234»):
    random.seed(seed)
    np.random.seed(seed)
