# cause: none
import cProfile
import io
import pstats
import random

random.seed(5)


def draw(n):
    return sum(random.random() for _ in range(n))


profile = cProfile.Profile()
profile.enable()
total = sum(draw(20_000) for _ in range(20))
profile.disable()
said = io.StringIO()
pstats.Stats(profile, stream=said).sort_stats("tottime").print_stats(5)
with open("profile.txt", "w") as file:
    file.write(said.getvalue())
profile.print_stats("cumtime")
print(f"total {total:.6f}")
