# cause: completion order
import subprocess
import sys
import time

code = "import time; time.sleep(time.time_ns() % 9 / 50)"
running = {k: subprocess.Popen([sys.executable, "-S", "-c", code]) for k in range(4)}  # HERE
order = []
while running:
    for k in list(running):
        if running[k].poll() is not None:
            order.append(k)
            del running[k]
    time.sleep(0.001)
print("order", order)
