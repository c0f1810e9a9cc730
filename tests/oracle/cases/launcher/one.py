import random
if __name__ == "__main__":
    random.seed(«1»)
    print(random.random())
