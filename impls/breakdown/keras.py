"""The tutorials' Keras program in passes, each of which does one thing more than the one before it.

The last pass is the program's own epoch. The others are the same call of ``fit`` on the same arrays with the same
network, loss and optimiser; their ``train_step``, which Keras lets a model define, stops earlier.

TensorFlow leaves out of a graph what nothing asks for. So the step returns something of all that it has computed: of a
batch and of each gradient one number, which costs a slice for each of them.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from impls.contract import Data
from impls.documented.keras import Implementation
from impls.workload import Workload

BATCHES, ROUNDS = 400, 4
"""Batches of a pass, and rounds of all passes, the first of which traces. Each call of ``fit`` sets up its
data pipeline anew, once in an epoch: over few batches that would count for too much.
"""


class UpTo(keras.Sequential):
    """The network with a training step that goes as far as ``last``."""

    def __init__(self, made: Implementation, last: str) -> None:
        super().__init__([keras.Input(made.workload.shapes[0]), *made.model.layers])
        self.last = last
        self.compile(optimizer=made.model.optimizer, loss=made.model.loss, jit_compile=made.model.jit_compile)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step; what it returns depends on all that it has computed."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        if self.last == "loop":
            return {"loss": ops.zeros(())}
        if self.last == "feeding":
            return {"loss": some([x]) + ops.cast(some([y]), x.dtype)}
        if self.last == "forward":
            return {"loss": self.compute_loss(x=x, y=y, y_pred=self(x, training=True))}
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        if self.last == "backward":
            return {"loss": loss, "gradients": some(gradients)}
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def some(tensors: list[Any]) -> Any:
    """The sum of one number from each tensor."""
    return sum(ops.reshape(tensor, (-1,))[-1] for tensor in tensors)


def passes(workload: Workload, device: str, data: Data) -> tuple[dict[str, Callable[[], Any]], Callable[[], None]]:
    """Each pass over the training images by name, and what returns when the device has finished.

    ``loop`` is ``fit`` on one batch again and again, with which nothing is done.
    """
    made = Implementation(workload, device, seed=1)
    made.load(data)
    size = workload.batch_size
    batch = tf.data.Dataset.from_tensors((made.x[:size], made.y[:size])).repeat(-(-len(made.y) // size))

    def until(last: str) -> Callable[[], Any]:
        stopped = Implementation(workload, device, seed=1)
        stopped.x, stopped.y, stopped.model = made.x, made.y, UpTo(stopped, last)
        return lambda: stopped.train_epoch(None)

    alone = UpTo(Implementation(workload, device, seed=1), "loop")
    return {
        "loop": lambda: alone.fit(batch, epochs=1, shuffle=False),
        **{last: until(last) for last in ("feeding", "forward", "backward", "optimiser")},
        "epoch": lambda: made.train_epoch(None),
    }, made.sync
