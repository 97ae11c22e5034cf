"""Keras on TensorFlow, probed for document 1's Table 1: the measured program with a look into its forward pass."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from impls.matched.keras import Implementation
from impls.workload import Workload

MODES = ("fit", "run_eagerly=True")
"""How a forward pass can run, as it does by default first."""
TIMED = ("fit", "run_eagerly=True")
CAPTURED = ()
"""The modes that say how many graphs they made; of ``fit``, how often Python is called says it."""


class Look(keras.layers.Layer):
    """A layer that changes nothing and calls a Python function, as a reader's own ``print`` would stand there."""

    def __init__(self, look: Callable[[Any], None]) -> None:
        super().__init__()
        self.look = look

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Look, and pass on what came."""
        self.look(x)
        return x


def program(workload: Workload, mode: str, look: Callable[[Any], None], graphs: list[Any]) -> Implementation:
    """The measured program with ``look`` before its first layer; what is traced shows in how often that is called."""
    made = Implementation(workload, "cpu", seed=1)
    model = keras.Sequential([Look(look), *made.model.layers])  # without an Input: nothing is traced before it trains
    model.compile(
        optimizer=made.model.optimizer,
        loss=made.model.loss,
        jit_compile=made.model.jit_compile,
        run_eagerly=mode == "run_eagerly=True",
    )
    made.model = model
    return made


def number(x: tf.Tensor) -> float:
    """The sum of a tensor, as somebody at a breakpoint would ask for it. Raises TypeError where x has no numbers."""
    return float(ops.sum(x))


def tools(folder: Path) -> dict[str, bool]:
    """Special debuggers, and whether they are to be had: tfdbg as it is now, if it writes something into ``folder``."""
    tf.debugging.experimental.enable_dump_debug_info(str(folder))
    tf.function(lambda x: x + 1)(tf.constant(1.0))
    tf.debugging.experimental.disable_dump_debug_info()
    wrote = any(path.stat().st_size for path in folder.iterdir())
    return {
        "tfdbg, as tf.debugging.experimental.enable_dump_debug_info": wrote,
        "TensorBoard, which shows what that writes": find_spec("tensorboard") is not None,
    }
