# One network: predict the next value of 0.0 … 0.9 from the last.
import argparse

import keras
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--hidden", type=int, default=10)
parser.add_argument("--epochs", type=int, default=100)
parser.add_argument("--dropout", type=float, default=0.0)
options = parser.parse_args()

keras.utils.set_random_seed(1)
sequence = np.arange(10) / 10
x, y = sequence[:-1].reshape(9, 1), sequence[1:].reshape(9, 1)
layers = [keras.Input((1,)), keras.layers.Dense(options.hidden)]
if options.dropout:
    layers.append(keras.layers.Dropout(options.dropout))
model = keras.Sequential([*layers, keras.layers.Dense(1)])
model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(x, y, epochs=options.epochs, batch_size=len(x), verbose=0)
print(f"mse = {model.evaluate(x, y, verbose=0):.8f}")
