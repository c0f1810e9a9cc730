# cause: none
import random


class Model:
    pass


random.seed(4)
print("model", Model(), "pid", __import__("os").getpid())
print("acc =", random.random())
