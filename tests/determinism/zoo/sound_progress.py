# cause: none
import sys
import time

for k in range(4):
    began = time.perf_counter()
    while time.perf_counter() - began < 0.02:
        pass
    sys.stdout.write("\b" * 30 + f"\r{k}/4 \x1b[32m{'=' * k}\x1b[0m {time.perf_counter() - began:.3f}s/step")
print("\racc = 0.5          ")
