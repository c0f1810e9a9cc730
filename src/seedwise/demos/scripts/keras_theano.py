# The article's script of 2017, for Keras 2 on Theano, with Python's moved names put back before anything else is imported.
import collections
import collections.abc

for name in ("Callable", "Hashable", "Iterable", "Mapping", "MutableMapping", "MutableSet", "Sequence", "Set"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))

from numpy.random import seed

seed(1)
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

sequence = np.array([i / 10.0 for i in range(10)])
x, y = sequence[:-1].reshape(9, 1), sequence[1:]


def fit_model():
    model = Sequential()
    model.add(Dense(10, input_dim=1))
    model.add(Dense(1))
    model.compile(loss="mean_squared_error", optimizer="adam")
    model.fit(x, y, epochs=100, batch_size=len(x), verbose=0)
    return model.evaluate(x, y, verbose=0)


for repeat in range(10):
    print("mse =", fit_model())
