"""Where a sweep looks: networks made from one by another batch size or other widths, and what was measured of each.

One axis is the batch size at the network's own widths, the other the width of the first hidden layer at its own batch
size; they meet in the network itself. The narrowest is trained with batches of one image too: where the overhead is
small beside the optimiser, nothing else tells the two apart. One point more is held out of what is fitted: batches of
one image through hidden layers of one unit, which cost next to no arithmetic, so that a step lasts as long as what it
costs besides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from impls.contract import Conv, Dense, Pool, Workload

BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
WIDTHS = (32, 128, 512, 2048)
"""Units of the first hidden layer; the others keep their proportion to it."""
STEPS, ARITHMETIC = 200, 2e10
"""A call has at most so many steps, and roughly so many floating-point operations: no call lasts many seconds."""


@dataclass(frozen=True)
class SweepPoint:
    """One network of a sweep: what it is, and the seconds of each call of ``train_epoch`` after a first one.

    ``width`` is of the first hidden layer, None where there is none. ``flops`` are those of one training image
    (:attr:`impls.contract.Workload.flops`); a call trains ``images`` in ``steps`` full batches. ``first_s`` is the
    first call, which may trace and compile. ``held_out`` is the point that stands apart. ``reason`` says why there are
    no seconds, empty where there are.
    """

    batch_size: int
    width: int | None
    parameters: int
    flops: int
    images: int
    steps: int
    held_out: bool = False
    first_s: float | None = None
    seconds: tuple[float, ...] = ()
    reason: str = ""


def points(base: Workload, n_train: int) -> Iterator[tuple[Workload, SweepPoint]]:
    """The networks of a sweep over ``base``, each once, with the points that say what is to be measured of them."""
    own = width(base)
    sizes = [(size, own) for size in sorted({*BATCHES, base.batch_size})]
    if own is not None:
        sizes += [(base.batch_size, units) for units in sorted({*WIDTHS, own} - {own})]
        sizes += [(1, WIDTHS[0])] if base.batch_size != 1 and own != WIDTHS[0] else []
    made = [(derived(base, size, units), False) for size, units in sizes]
    if own is not None and not any(isinstance(layer, Conv | Pool) for layer in base.layers):
        made.append((derived(base, 1, 1), True))
    for workload, held_out in made:
        steps = affordable(workload, min(STEPS, -(-n_train // base.batch_size)))
        size = workload.batch_size
        yield (
            workload,
            SweepPoint(size, width(workload), workload.parameters, workload.flops, steps * size, steps, held_out),
        )


def affordable(workload: Workload, most: int) -> int:
    """How many steps a call takes: the ``most``, unless that is too much arithmetic; at least one."""
    return max(1, min(most, round(ARITHMETIC / (workload.flops * workload.batch_size))))


def hidden(workload: Workload) -> list[int]:
    """The positions of the dense layers but the last, which gives the logits."""
    return [i for i, layer in enumerate(workload.layers) if isinstance(layer, Dense)][:-1]


def width(workload: Workload) -> int | None:
    """Units of the first hidden layer; None where there is none."""
    dense = [layer.units for layer in workload.layers if isinstance(layer, Dense)]
    return dense[0] if len(dense) > 1 else None


def derived(base: Workload, batch_size: int, units: int | None) -> Workload:
    """The network with another batch size, and its hidden layers scaled so that the first has so many ``units``."""
    own, positions = width(base), hidden(base)
    name = base.name + (f"-b{batch_size}" if batch_size != base.batch_size else "")
    if units is None or own is None or units == own:
        return replace(base, name=name, batch_size=batch_size)
    layers = tuple(
        replace(layer, units=max(1, round(layer.units * units / own)))
        if isinstance(layer, Dense) and i in positions
        else layer
        for i, layer in enumerate(base.layers)
    )
    return replace(base, name=f"{name}-w{units}", batch_size=batch_size, layers=layers)
