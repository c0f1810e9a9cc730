# A wider network on real data: with several threads, sums are taken in another order.
import keras
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

keras.utils.set_random_seed(1)
x, y = load_breast_cancer(return_X_y=True)
x = scale(x)
model = keras.Sequential(
    [keras.Input((30,)), keras.layers.Dense(512, "tanh"), keras.layers.Dense(512, "tanh"), keras.layers.Dense(1, "sigmoid")]
)
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(x, y, epochs=3, batch_size=569, verbose=0)
print(f"loss = {model.evaluate(x, y, verbose=0):.8f}")
