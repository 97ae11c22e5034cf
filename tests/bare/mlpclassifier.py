"""scikit-learn's MLPClassifier with document 1's network, epoch by epoch. Prints seconds per epoch and accuracy.

It needs scikit-learn, which is no dependency of this project: `pip install scikit-learn`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier

root, epochs = Path(sys.argv[1]), int(sys.argv[2])
raw = {path.name: path.read_bytes() for path in (root / "MNIST" / "raw").glob("*-ubyte")}


def images(name):
    pixels = np.frombuffer(raw[name], np.uint8, offset=16).reshape(-1, 784)
    return (pixels.astype("float32") / 255 - 0.1307) / 0.3081


def labels(name):
    return np.frombuffer(raw[name], np.uint8, offset=8)


x, y = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
model = MLPClassifier((128, 64), batch_size=64, alpha=0.0, learning_rate_init=1e-3, random_state=1)
seconds = []
for _ in range(epochs):
    start = time.perf_counter()
    model.partial_fit(x, y, classes=np.arange(10))
    seconds.append(time.perf_counter() - start)
found = model.predict(images("t10k-images-idx3-ubyte"))
accuracy = float((found == labels("t10k-labels-idx1-ubyte")).mean())
print()
print(json.dumps({"train_s": seconds, "accuracy": accuracy}))
