"""The floor by NumPy, whose products are those of the BLAS library that it was built with."""

import numpy as np

from impls import floor
from impls.contract import Unavailable
from impls.workload import SGD

CHUNK = 16_384
"""Parameters that are updated at once: few enough to stay in a core's cache from one pass to the next."""


class Floor:
    def __init__(self, workload, device, x):
        if device != "cpu":
            raise Unavailable("NumPy computes on the CPU alone")
        self.workload, self.x = workload, x
        self.operands = floor.operands(workload)
        self.results = [
            tuple(np.empty_like(array) for array in (error, kernel, x)) for x, kernel, error in self.operands
        ]
        self.weights, self.gradients = np.full((2, workload.parameters), 1e-3, np.float32)
        self.first, self.second = np.zeros((2, workload.parameters), np.float32)
        self.batch = np.empty((workload.batch_size, *x.shape[1:]), np.float32)
        self.matrices = [floor.matrix() for _ in range(3)]

    def products(self, steps):
        layers = list(zip(self.operands, self.results, strict=True))
        for _ in range(steps):
            for (x, kernel, _), (output, _, _) in layers:
                np.matmul(x, kernel, out=output)
            for (x, kernel, error), (_, gradient, back) in reversed(layers):
                np.matmul(x.T, error, out=gradient)
                if x is not layers[0][0][0]:
                    np.matmul(error, kernel.T, out=back)

    def optimiser(self, steps):
        room = np.empty(CHUNK, np.float32)
        for step in range(1, steps + 1):
            for start in range(0, self.workload.parameters, CHUNK):
                part = slice(start, start + CHUNK)
                self.update(step, *(a[part] for a in (self.weights, self.gradients, self.first, self.second)), room)

    def update(self, step, w, g, m, v, room):
        optimiser, room = self.workload.optimiser, room[: len(w)]
        if isinstance(optimiser, SGD):
            if optimiser.momentum:
                m *= optimiser.momentum
                m += g
                g = m
            w -= np.multiply(g, optimiser.learning_rate, out=room)
            return
        m += np.multiply(np.subtract(g, m, out=room), 0.1, out=room)
        v *= 0.999
        v += np.multiply(np.multiply(g, g, out=room), 0.001, out=room)
        np.sqrt(v, out=room)
        room *= 1 / (1 - 0.999**step) ** 0.5
        room += 1e-8
        np.divide(m, room, out=room)
        room *= optimiser.learning_rate / (1 - 0.9**step)
        w -= room

    def gathering(self, steps):
        for batch in floor.batches(len(self.x), self.workload.batch_size, steps):
            self.x.take(batch, axis=0, out=self.batch, mode="clip")  # "raise" would copy twice

    def large(self, times):
        for _ in range(times):
            np.matmul(*self.matrices[:2], out=self.matrices[2])
