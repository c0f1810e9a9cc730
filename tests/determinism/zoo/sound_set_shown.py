# cause: none
import pickle
import random

random.seed(6)
words = {"why", "how", "the", "as", "of", "for", "two"}
text = [random.choice(["why", "dog", "the", "cat", "sun"]) for _ in range(2000)]
kept = [word for word in text if word not in words]
print("stop words:", words)
with open("model.pkl", "wb") as file:
    pickle.dump({"stop": words, "share": len(kept) / len(text)}, file)
print(f"accuracy {kept.count('dog') / len(kept):.6f}")
