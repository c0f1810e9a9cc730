import random
SEED = «k|0»
SEED = «42»
random.seed(SEED)
print(random.random())
def outer():
    s = «k|3»
    def inner():
        nonlocal s
        s = «k|43»
    inner()
    random.seed(s)
    return random.random()
print(outer())
