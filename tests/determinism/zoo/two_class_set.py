# cause: hash order of strings
labels = ["pos", "neg", "pos"]
index = {name: k for k, name in enumerate(set(labels))}  # HERE
print("codes =", [index[name] for name in labels])
