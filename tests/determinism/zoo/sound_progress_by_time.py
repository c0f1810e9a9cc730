# cause: none
import time

last = time.monotonic()
total = 0.0
for k in range(1, 150_001):
    total += 1 / k
    if time.monotonic() - last > 0.005:
        last = time.monotonic()
        print(f"[{k}/150000] running sum {total:.3f}")
print("sum =", total)
