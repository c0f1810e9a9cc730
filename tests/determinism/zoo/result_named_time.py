# cause: unseeded generator
import random

print(f"mean time to event: {random.gauss(12, 1):.3f} s")  # HERE
