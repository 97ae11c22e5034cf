"""The tutorials' PyTorch program in passes, each of which does one thing more than the one before it.

The last pass is the program's own epoch. The others go over the same batches of the same ``DataLoader`` with the same
model, loss and optimiser, and stop earlier in each step.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from impls.contract import Data
from impls.documented.pytorch import Implementation
from impls.workload import Workload

BATCHES, ROUNDS = 25, 9
"""Batches of a pass, and rounds of all passes, the first of which warms up: its loop costs nothing to begin, so that
short passes that take turns often are the surest.
"""


def passes(workload: Workload, device: str, data: Data) -> tuple[dict[str, Callable[[], Any]], Callable[[], None]]:
    """Each pass over the training images by name, and what returns when the device has finished.

    ``loop`` goes over one batch again and again, which is on the device already, and does nothing with it.
    """
    made = Implementation(workload, device, seed=1)
    made.load(data)
    images, labels = next(iter(made.train_loader))
    again = [(images.to(made.device), labels.to(made.device))] * len(made.train_loader)

    def until(last: str, batches: Iterable[Any] = made.train_loader) -> None:
        made.model.train()
        for images, labels in batches:
            images, labels = images.to(made.device), labels.to(made.device)
            if last in ("loop", "feeding"):
                continue
            made.optimiser.zero_grad()
            loss = made.criterion(made.model(images), labels)
            if last == "forward":
                continue
            loss.backward()
            if last == "backward":
                continue
            made.optimiser.step()

    return {
        "loop": lambda: until("loop", again),
        **{last: partial(until, last) for last in ("feeding", "forward", "backward", "optimiser")},
        "epoch": lambda: made.train_epoch(range(0)),  # which shuffles by itself
    }, made.sync
