"""What an implementation is: eight members, in the order in which they are used.

A *workload* says what is trained, *data* is what it is trained on, an *implementation* trains it. The harness builds
one implementation in a process of its own, and times two of its members: ``train_epoch`` and ``predict``.

Everything that crosses this border is a NumPy array or a plain number, so that no framework needs to know another.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from impls.workload import Float32, Workload

AdamForm = Literal["pytorch", "keras", "keras-float32-betas"]
Form = tuple[AdamForm, float]
Weights = list[tuple[Float32, Float32]]
"""One ``(kernel, bias [out])`` per dense and convolutional layer, from the input to the logits.

A dense kernel is ``[in, out]``, a convolutional one ``[size, size, in, out]``. A dense layer behind an image takes its
entries row by row with the channels innermost: ``[height, width, channels]`` flattened.
"""
MEMBERS = ("load", "set_weights", "get_weights", "train_epoch", "predict", "sync", "device_memory")
"""The members beside ``__init__``, in the order in which they are used."""
DEFAULTS: dict[str, Any] = {"takes_order": True, "adam": ("pytorch", 1e-8), "dtypes": ("float32",), "switches": {}}
"""What an implementation may declare, each with the value that holds where it does not."""


class Unavailable(Exception):
    """Raised by an implementation that cannot run here, with the reason: the cell is skipped, not failed."""


@dataclass(frozen=True)
class Data:
    """The images as bytes and the labels; ``root`` is the directory that torchvision reads them from.

    ``x_*`` uint8 ``[n, 28, 28]``, 0 is background; ``y_*`` uint8 ``[n]``, 0 to 9. The arrays are read-only views of the
    files, so that an implementation that reads ``root`` itself pays nothing for them.
    """

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]
    root: Path


class Implementation(Protocol):
    """A framework's way to train a workload. The harness calls the members in this order.

    Declared on the class, each with a default that the harness assumes where it is missing:

    * ``takes_order`` (True): trains in the order it is given, from the weights it is given. False for programs that
      initialise by themselves and shuffle by themselves if the workload says so; they are compared as what a reader of
      the tutorials would run. Where ``workload.shuffle`` is False they too train in the order of the files.
    * ``adam`` ("pytorch", 1e-8): which published form of Adam it runs, "pytorch" or "keras", and its epsilon.
    * ``dtypes`` (("float32",)): what it can compute in; with "float64" the verification can tell
      rounding from another equation.

    and on the instance, after ``load``:

    * ``switches`` ({}): what was in force in the framework, by name, read from the running program where it can be. The
      report's fairness table shows ``initialiser``, ``adam_epsilon``, ``last_batch``, ``precision``, ``tf32``,
      ``threads``, ``compile`` and ``data``; ``predict``, the call of the framework that answers the test set that was
      loaded last, stands beside the times of one image and of one batch.
    """

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Build the model, the loss and the optimiser on ``device`` (``cpu``, ``cuda`` or ``mps``).

        A process sees one GPU at most, so ``cuda`` is the right one even if the user has chosen ``cuda:1``.

        Raises :class:`Unavailable` where the framework cannot use the device, or for a layer, loss or optimiser that
        the implementation does not have. The verification builds each with SGD too, to see its gradients, and with
        dropout at rate 0.
        """

    def load(self, data: Data) -> None:
        """Take the data into the framework's own form, on its device.

        May be called again with other data, which then replaces the first: the verification trains on samples, and a
        cell, once all else has been measured, predicts a test set of one image and one of one batch, from ``data`` or
        ``root``.
        """

    def set_weights(self, weights: Weights) -> None:
        """Overwrite all parameters; the optimiser's state is untouched, so it is called before training."""

    def get_weights(self) -> Weights:
        """Copies of all parameters, in the form that ``set_weights`` takes."""
        ...

    def train_epoch(self, order: NDArray[np.int64]) -> float:
        """Train once over the training images in ``order`` (int64 ``[n]``) and return the mean loss. **Timed.**

        Batches are consecutive slices of ``order``; the last one may be smaller. The mean is over samples, each loss
        taken before the step that used it.
        """
        ...

    def predict(self) -> Float32:
        """Logits of all test images, float32 ``[n_test, 10]``; any constant per row may be added. **Timed.**"""
        ...

    def sync(self) -> None:
        """Return when the device has finished all that it was given. Called before each reading of the clock."""

    def device_memory(self) -> dict[str, int] | None:
        """``{"peak_bytes": ..., "reserved_bytes": ...}`` of the device, or None where it has no memory of its own.

        By the framework's own counters, since the last ``load`` where it can begin anew; what has none is left out.
        """
        ...


def declared(implementation: Implementation | type[Implementation], name: str) -> Any:
    """What an implementation declares under a name of :data:`DEFAULTS`, or the default."""
    return getattr(implementation, name, DEFAULTS[name])


def adam(implementation: Implementation | type[Implementation]) -> Form:
    """The declared form of Adam. Raises TypeError for what is none of the published forms with an epsilon."""
    form = declared(implementation, "adam")
    if not (isinstance(form, tuple | list) and len(form) == 2 and form[0] in get_args(AdamForm)):
        raise TypeError(f'adam is {form!r}, expected ("pytorch", 1e-8) or ("keras", 1e-7); see CONTRIBUTING.md')
    return form[0], form[1]
