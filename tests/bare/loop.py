"""The loop of `matched-pytorch` as a bare script: no harness, no contract. Prints seconds per epoch and accuracy."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

root, epochs = Path(sys.argv[1]), int(sys.argv[2])
raw = {path.name: path.read_bytes() for path in (root / "MNIST" / "raw").glob("*-ubyte")}


def images(name):
    pixels = torch.from_numpy(np.frombuffer(raw[name], np.uint8, offset=16).reshape(-1, 784).copy())
    return (pixels.float() / 255 - 0.1307) / 0.3081


def labels(name):
    return torch.from_numpy(np.frombuffer(raw[name], np.uint8, offset=8).astype(np.int64))


x, y = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
x_test, y_test = images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte")
model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
rng = np.random.default_rng(1)
seconds, accuracy = [], 0.0
for _ in range(epochs):
    order = rng.permutation(len(y))
    start = time.perf_counter()
    model.train()
    total = torch.zeros(())
    for batch in torch.from_numpy(order).split(64):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimiser.step()
        total += loss.detach() * len(batch)
    total.item()
    seconds.append(time.perf_counter() - start)
    model.eval()
    with torch.no_grad():
        accuracy = float((model(x_test).argmax(1) == y_test).float().mean())
print(json.dumps({"train_s": seconds, "accuracy": accuracy}))
