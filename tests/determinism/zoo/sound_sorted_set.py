# cause: none
words = "the quick brown fox jumps over the lazy dog".split()
vocabulary = {word: k for k, word in enumerate(sorted(set(words)))}
print("loss =", sum(k * len(w) for w, k in vocabulary.items()), len(set(words)))
