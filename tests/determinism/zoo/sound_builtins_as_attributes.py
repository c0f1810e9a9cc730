# cause: none
import os
import time
import numpy as np


class Timer:
    clock = time.perf_counter
    process = os.getpid
    room = np.empty

    def __init__(self):
        self.start = self.clock()
        self.owner = self.process()
        self.values = self.room(2)
        self.values[:] = 1.0


timer = Timer()
assert timer.clock() >= timer.start
print("sum =", timer.values.sum())
