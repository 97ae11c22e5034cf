"""The floor by TensorFlow: each part is one loop in a function that XLA compiles."""

import tensorflow as tf

from impls import floor
from impls.contract import Unavailable
from impls.tuned.tensorflow import update


class Floor:
    def __init__(self, workload, device, x):
        if device != "cpu" and not (device == "cuda" and tf.config.list_physical_devices("GPU")):
            raise Unavailable(f"TensorFlow {tf.__version__} sees no {device.upper()} device")
        tf.config.experimental.enable_tensor_float_32_execution(workload.precision == "tf32")
        self.workload, self.x = workload, tf.constant(x)
        self.operands = [[tf.Variable(array) for array in layer] for layer in floor.operands(workload)]
        self.results = [[tf.Variable(tf.zeros(a.shape)) for a in (e, tf.transpose(k), x)] for x, k, e in self.operands]
        self.weights = tf.Variable(tf.fill([workload.parameters], 1e-3))
        self.first, self.second = (tf.Variable(tf.zeros([workload.parameters])) for _ in range(2))
        self.gradients = tf.fill([workload.parameters], 1e-3)
        self.batch = tf.Variable(tf.zeros((workload.batch_size, *x.shape[1:])))
        self.matrix = tf.constant(floor.matrix())
        self.compiled = {
            name: tf.function(getattr(self, name), jit_compile=True) for name in ("multiply", "update", "gather")
        }
        self.square = tf.function(tf.matmul, jit_compile=True)

    def products(self, steps):
        self.compiled["multiply"](steps)
        tf.test.experimental.sync_devices()

    def optimiser(self, steps):
        self.compiled["update"](steps)
        tf.test.experimental.sync_devices()

    def gathering(self, steps):
        self.compiled["gather"](tf.constant(floor.batches(len(self.x), self.workload.batch_size, steps), tf.int32))
        tf.test.experimental.sync_devices()

    def large(self, times):
        for _ in range(times):
            self.square(self.matrix, self.matrix)
        tf.test.experimental.sync_devices()

    def multiply(self, steps):
        for step in tf.range(steps):
            for number, ((x, kernel, error), (output, gradient, back)) in enumerate(
                zip(self.operands, self.results, strict=True)
            ):
                for changed in (x, error):  # another number in each step, or XLA would multiply only once
                    changed[0, 0].assign(tf.cast(step, tf.float32))
                output.assign(tf.matmul(x, kernel))
                gradient.assign(tf.matmul(error, x, transpose_a=True))
                if number:
                    back.assign(tf.matmul(error, kernel, transpose_b=True))

    def update(self, steps):
        for step in tf.range(steps):
            update(self.workload.optimiser, [self.weights], [self.first], [self.second], [self.gradients], step + 1)

    def gather(self, batches):
        for number in tf.range(batches.shape[0]):
            self.batch.assign(tf.gather(self.x, batches[number]))
