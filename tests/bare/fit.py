"""A bare Keras `fit` of document 1's network, all epochs in one call. Prints seconds per epoch and accuracy."""

import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers

root, epochs = Path(sys.argv[1]), int(sys.argv[2])
raw = {path.name: path.read_bytes() for path in (root / "MNIST" / "raw").glob("*-ubyte")}


def images(name):
    pixels = np.frombuffer(raw[name], np.uint8, offset=16).reshape(-1, 784)
    return (pixels.astype("float32") / 255 - 0.1307) / 0.3081


def labels(name):
    return np.frombuffer(raw[name], np.uint8, offset=8).astype("int64")


class Clock(keras.callbacks.Callback):
    seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


model = keras.Sequential(
    [
        keras.Input((784,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
x, y = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
model.fit(x, y, batch_size=64, epochs=epochs, callbacks=[Clock()])
found = model.predict(images("t10k-images-idx3-ubyte"), batch_size=1000).argmax(1)
accuracy = float((found == labels("t10k-labels-idx1-ubyte")).mean())
print()
print(json.dumps({"train_s": Clock.seconds, "accuracy": accuracy}))
