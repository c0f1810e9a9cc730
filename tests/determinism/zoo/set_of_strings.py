# cause: hash order of strings
words = "the quick brown fox jumps over the lazy dog again".split()
vocabulary = {word: k for k, word in enumerate(set(words))}  # HERE
print("loss =", sum(k * len(w) for w, k in vocabulary.items()))
