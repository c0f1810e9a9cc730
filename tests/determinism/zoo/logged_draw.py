# cause: unseeded generator
import logging
import numpy as np

logging.basicConfig(level=logging.INFO)
rng = np.random.default_rng()  # HERE
logging.info("final accuracy %.4f", 0.8 + 0.01 * rng.random())
