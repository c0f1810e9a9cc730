import subprocess
import sys
for script in ("one.py", "two.py"):
    print(subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout)
