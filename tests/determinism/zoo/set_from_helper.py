# cause: hash order of strings
def words(text):
    found = set()
    found.update(text.split())
    return found


vocabulary = {}
for word in words("the quick brown fox jumps over the lazy dog"):  # HERE
    vocabulary[word] = len(vocabulary)
print("codes", vocabulary)
