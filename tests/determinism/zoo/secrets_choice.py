# cause: system entropy
import secrets

pool = list(range(1000))
print("picked", [secrets.choice(pool) for _ in range(5)])  # HERE
