"""How long a session will still take, from what has ended and from what its networks ask for."""

from collections.abc import Mapping, Sequence

from bench.records import Cell
from impls.contract import Workload

Kind = tuple[str, Workload, int, str]
ROUGHLY_S = {"sweep": 40.0, "floor": 8.0}
"""Of a process that trains no epochs and has not run yet."""


def kind(cell: Cell) -> Kind:
    """Cells of one kind take about the same time: the implementation, the workload, the epochs, the role."""
    again = "measured" if cell.role == "control" else cell.role
    return cell.implementation, cell.workload, cell.epochs, again


def guess(of: Kind) -> float:
    """Roughly the seconds of a kind that has not run yet, on no machine in particular: start, arithmetic, steps."""
    _, workload, epochs, role = of
    if role in ROUGHLY_S:
        return ROUGHLY_S[role]
    return 3.0 + epochs * 60_000 * (workload.flops / 5e10 + 1e-3 / workload.batch_size)


def time_left(cells: Sequence[Cell], seconds: Mapping[Kind, Sequence[float]]) -> float | None:
    """Seconds that the cells will take: each as long as its kind has taken, or as the guess is off for the others."""
    if not seconds:
        return None
    means = {of: sum(values) / len(values) for of, values in seconds.items()}
    off = sum(mean / guess(of) for of, mean in means.items()) / len(means)
    return sum(means.get(kind(cell), off * guess(kind(cell))) for cell in cells)
