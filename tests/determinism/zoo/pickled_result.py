# cause: unseeded generator
import pickle
import random

weights = [random.random() for _ in range(5)]  # HERE
with open("model.pkl", "wb") as file:
    pickle.dump(weights, file)
print("saved")
