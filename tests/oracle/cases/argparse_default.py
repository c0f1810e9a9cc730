import argparse
import random
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=42)
parser.add_argument("-s", "--seed", type=int, default=«42», help="random seed (default 42)")
args = parser.parse_args()
random.seed(args.seed)
print(args.epochs, random.random())
