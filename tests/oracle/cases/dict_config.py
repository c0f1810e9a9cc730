import random
config = {"seed": «42», "lr": 0.1, "n_seed_words": 42}
settings = dict(random_state=«42», depth=42)
random.seed(config["seed"])
print(config, settings, random.random())
