#!/usr/bin/env python
"""A docstring with seed 42 in it."""
from __future__ import annotations
import random, json
def main(seed: int = «42»):
    random.seed(seed)
    print(__doc__, json.dumps({"acc": random.random(), "seed": seed}))
if __name__ == "__main__":
    main()
