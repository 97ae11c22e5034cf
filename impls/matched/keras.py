"""Keras, matched: the given start, the given batches, and Keras' plain training loop, which is ``fit``.

The epoch's samples are put in the given order first, inside the timer, since PyTorch picks its batches inside it too;
``fit`` then takes them as they come. A single image is predicted by calling the model, as Keras' documentation of
``Model.predict`` asks of few inputs; more of them by ``predict``, which is made for many. ``KERAS_BACKEND``, set before
the import, chooses the backend.
"""

import importlib
import os

import keras
import numpy as np
from keras import ops

from impls.contract import Unavailable
from impls.workload import SGD, Conv, Dense, Dropout, Pool

BACKEND = keras.backend.backend()
backend = importlib.import_module(BACKEND)
SINCE = {"tensorflow": "loading", "torch": "loading", "jax": "the start: JAX has no way to begin a new peak"}


class Implementation:
    takes_order = True
    adam = ("keras", 1e-7)
    dtypes = ("float32",) if BACKEND == "torch" else ("float32", "float64")  # its losses are float32 on PyTorch

    def __init__(self, workload, device, seed):
        if device not in seen():
            raise Unavailable(f"Keras on {BACKEND} {backend.__version__} sees no {device.upper()} device")
        if BACKEND == "jax" and workload.dtype == "float64" and any("tanh" in str(layer) for layer in workload.layers):
            raise Unavailable("Keras computes tanh in float32 on JAX")
        keras.utils.set_random_seed(seed)
        keras.config.set_floatx(workload.dtype)
        keras.config.set_dtype_policy(workload.dtype)
        keras.config.set_image_data_format("channels_last")
        if BACKEND == "tensorflow":
            backend.config.experimental.enable_tensor_float_32_execution(workload.precision == "tf32")
            if device == "cpu":
                backend.config.set_visible_devices([], "GPU")  # what no variable hides: GPUs that are not NVIDIA's
        if BACKEND == "jax":
            backend.config.update("jax_enable_x64", workload.dtype == "float64")
            products = "tensorfloat32" if workload.precision == "tf32" else "float32"
            backend.config.update("jax_default_matmul_precision", products if device == "cuda" else None)
        if BACKEND == "torch":
            backend.set_float32_matmul_precision("high" if workload.precision == "tf32" else "highest")
            backend.backends.cudnn.allow_tf32 = workload.precision == "tf32"
        self.workload = workload
        self.device = device
        self.model = keras.Sequential([keras.Input(workload.shapes[0]), *layers(workload)])
        self.trained = [layer for layer in self.model.layers if layer.trainable_variables]
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            optimiser = keras.optimizers.SGD(learning_rate=rate, momentum=workload.optimiser.momentum)
        else:
            optimiser = keras.optimizers.Adam(learning_rate=rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(
            optimizer=optimiser,
            loss=loss if workload.loss == "cross-entropy" else log_softmax_nll,
            jit_compile=BACKEND == "jax",  # Keras' own choice for these networks; JAX without it runs op by op
        )

    def load(self, data):
        self.x = self.workload.scale(data.x_train)
        self.y = data.y_train.astype(np.int64)
        self.x_test = self.workload.scale(data.x_test)
        if self.device == "cuda" and BACKEND == "torch":  # the peak is that of training
            backend.cuda.empty_cache()
            backend.cuda.reset_peak_memory_stats()
        if self.device == "cuda" and BACKEND == "tensorflow":
            backend.config.experimental.reset_memory_stats("GPU:0")

    def set_weights(self, weights):
        for layer, (kernel, bias) in zip(self.trained, weights, strict=True):
            layer.set_weights([kernel, bias])

    def get_weights(self):
        return [tuple(layer.get_weights()) for layer in self.trained]

    def train_epoch(self, order):
        history = self.model.fit(
            self.x[order], self.y[order], batch_size=self.workload.batch_size, epochs=1, shuffle=False, verbose=0
        )
        return history.history["loss"][0]

    def predict(self):
        if len(self.x_test) == 1:
            return ops.convert_to_numpy(self.model(self.x_test, training=False))
        return self.model.predict(self.x_test, batch_size=self.workload.test_batch_size, verbose=0)

    def sync(self):
        if BACKEND == "tensorflow":
            backend.test.experimental.sync_devices()
        if BACKEND == "jax":
            backend.block_until_ready([variable.value for variable in self.model.variables])
        if BACKEND == "torch" and self.device == "cuda":
            backend.cuda.synchronize()
        if BACKEND == "torch" and self.device == "mps":
            backend.mps.synchronize()

    def device_memory(self):
        if self.device != "cuda":
            return None
        if BACKEND == "torch":
            return {"peak_bytes": backend.cuda.max_memory_allocated(),
                    "reserved_bytes": backend.cuda.max_memory_reserved()}  # fmt: skip
        if BACKEND == "jax":
            stats = backend.local_devices()[0].memory_stats() or {}  # not every allocator counts
            names = {"peak_bytes": "peak_bytes_in_use", "reserved_bytes": "peak_pool_bytes"}
            return {name: stats[key] for name, key in names.items() if key in stats}
        return {"peak_bytes": backend.config.experimental.get_memory_info("GPU:0")["peak"]}

    @property
    def switches(self):
        return {
            "initialiser": "given by the harness",
            "adam_epsilon": getattr(self.model.optimizer, "epsilon", None),
            "last_batch": "used",
            "precision": self.model.dtype_policy.name,
            "tf32": tf32(),
            "threads": threads(),
            "compile": f"traced{', XLA' if self.model.jit_compile else ''}" if BACKEND != "torch" else "no",
            "data": "NumPy arrays on the host",
            "predict": "model(x, training=False)" if len(self.x_test) == 1 else "model.predict(x)",
            "backend": BACKEND,
            "jit_compile": self.model.jit_compile,
            "run_eagerly": self.model.run_eagerly,
            "optimiser": str(self.model.optimizer.get_config()),
            "device_memory": f"{BACKEND}, since {SINCE[BACKEND]}" if self.device == "cuda" else None,
        }


def layers(workload):
    for layer, before in zip(workload.layers, workload.shapes, strict=False):
        match layer:
            case Dense():
                yield from [keras.layers.Flatten()] if len(before) == 3 else []
                yield keras.layers.Dense(layer.units, activation=layer.activation)
            case Conv():
                same = 2 * layer.padding == layer.size - 1
                yield from [] if same or not layer.padding else [keras.layers.ZeroPadding2D(layer.padding)]
                padding = "same" if same else "valid"
                yield keras.layers.Conv2D(layer.filters, layer.size, padding=padding, activation=layer.activation)
            case Pool():
                yield keras.layers.MaxPooling2D(layer.size)
            case Dropout():
                yield keras.layers.Dropout(layer.rate)


def log_softmax_nll(labels, logits):
    labels = ops.reshape(ops.cast(labels, "int32"), (-1, 1))
    return -ops.take_along_axis(ops.log_softmax(logits), labels, axis=1)


def seen():
    if BACKEND == "torch":
        found = {"cuda": backend.cuda.is_available(), "mps": backend.backends.mps.is_available()}
    elif BACKEND == "jax":
        found = {"cuda": backend.default_backend() == "gpu"}
    else:
        found = {"cuda": bool(backend.config.list_physical_devices("GPU"))}
    return {"cpu", *(device for device, there in found.items() if there)}


def tf32():
    if BACKEND == "tensorflow":
        return backend.config.experimental.tensor_float_32_execution_enabled()
    if BACKEND == "torch":
        return backend.backends.cuda.matmul.allow_tf32
    products = backend.config.jax_default_matmul_precision
    return None if products is None else products == "tensorfloat32"


def threads():
    if BACKEND == "torch":
        return backend.get_num_threads()
    return int(os.environ.get({"tensorflow": "TF_NUM_INTRAOP_THREADS", "jax": "NPROC"}[BACKEND], 0))
