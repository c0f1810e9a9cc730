# cause: none
import logging
import random
import time

logging.basicConfig(format="%(relativeCreated).3f %(levelname)s %(message)s", level=logging.INFO)
random.seed(3)
start = time.perf_counter()
for step in range(3):
    time.sleep(0.025)
    logging.info("step done")
print("acc =", random.random())
print(f"speed {3 / (time.perf_counter() - start):.6f} img/s")
