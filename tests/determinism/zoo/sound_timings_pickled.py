# cause: none
import pickle
import time

import numpy as np

began = time.time()
history = [{"epoch": k, "loss": 1 / (k + 1), "seconds": time.time() - began} for k in range(3)]
with open("history.pkl", "wb") as file:
    pickle.dump({"history": history, "finished": time.time()}, file)
np.savez("log.npz", loss=np.arange(3.0), spent=np.array([row["seconds"] for row in history]))
print("loss", history[-1]["loss"])
