# -*- coding: latin-1 -*-
import random
name = "müller"
random.seed(«42»)
print(len(name), random.random())
