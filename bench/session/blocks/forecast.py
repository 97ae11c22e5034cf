"""How long a run will still take, with everything that will run: verification, blocks, and what is measured beside."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence

from bench.session.blocks.block import unfinished
from bench.session.blocks.costs import Cost, repetitions
from bench.session.plan import Plan
from bench.store.records.cell import TRAINED, Cell, Result
from bench.store.records.verification import Verification
from impls.frameworks import FRAMEWORKS

Kind = tuple[str, str, str, int, str]
"""Implementation, network, device, threads, role: cells of one kind take about the same time."""
ROUGHLY_S = {"sweep": 40.0, "floor": 8.0}
"""Of a process that trains no epochs and has not run yet."""
VERIFICATION_S = 15.0
EXTRAS_S = 120.0
REPORT_S = 8.0
START_S, STEP_S = 5.0, 1e-3


def kind(cell: Cell) -> Kind:
    """A control is of the same kind as the program that it repeats."""
    role = "measured" if cell.role == "control" else cell.role
    return cell.implementation, *cell.place, role


def guessed_cost(cell: Cell) -> Cost:
    """Roughly what a program costs on no machine in particular: its start, and arithmetic, steps and feeding."""
    framework = FRAMEWORKS.get(cell.framework)
    feeding_s = framework.documented_image_s if framework and cell.tier == "documented" else 0.0
    each_s = cell.workload.flops / 5e10 + STEP_S / cell.workload.batch_size + feeding_s
    return Cost(START_S, 60_000 * each_s)


class Forecast:
    """What is still to be done, and what each kind of it has taken.

    All guesses are taken to be off by the same factor, which what has ended tells.
    """

    def __init__(
        self, cells: Sequence[Cell], kept: Container[str], seconds: float, verifications: int = 0, extras: bool = False
    ) -> None:
        """All ``cells`` but those with a key that is ``kept`` are missing, and so many ``verifications``.

        Programs are timed for ``seconds`` in each block.
        """
        self.verifications, self.extras, self.seconds = verifications, extras, seconds
        self.left = Counter(kind(cell) for cell in cells if cell.key not in kept)
        self.guesses = guesses(cells, seconds)
        self.taken: dict[Kind, list[float]] = {}
        self.verified_s: list[float] = []

    def add(self, result: Result) -> None:
        """A cell has ended."""
        self.left[kind(result.cell)] -= 1
        if result.phases.process_s is not None:
            self.taken.setdefault(kind(result.cell), []).append(result.phases.process_s)

    def again(self, cells: Iterable[Cell]) -> None:
        """These cells will be measured once more."""
        self.left.update(map(kind, cells))

    def verified(self, seconds: float) -> None:
        """A question has been answered, in so many seconds."""
        self.verifications -= 1
        self.verified_s.append(seconds)

    def seconds_left(self) -> float:
        """As long as each kind has taken, or as the guess is off for those that have not run yet."""
        means = {of: sum(values) / len(values) for of, values in self.taken.items()}
        guessed_s = sum(self.guesses[of] for of in means)
        off = sum(means.values()) / guessed_s if guessed_s else 1.0
        cells_s = sum(number * means.get(of, off * self.guesses[of]) for of, number in self.left.items())
        each_s = sum(self.verified_s) / len(self.verified_s) if self.verified_s else VERIFICATION_S
        return cells_s + max(0, self.verifications) * each_s + REPORT_S + off * EXTRAS_S * self.extras


def guesses(cells: Sequence[Cell], seconds: float) -> dict[Kind, float]:
    """The seconds of a cell of each kind, guessed, where a block's programs are timed for ``seconds``."""
    found: dict[Kind, float] = {}
    for block in unfinished(cells, {}):
        trained = [cell for cell in block.cells if cell.role in TRAINED]
        costs = {cell.implementation: guessed_cost(cell) for cell in trained}
        numbers = repetitions(costs, Counter(cell.implementation for cell in trained), seconds)
        for cell in block.cells:
            found[kind(cell)] = ROUGHLY_S.get(cell.role, 0.0)
        for cell in trained:
            cost, more = costs[cell.implementation], max(0, numbers[cell.implementation] + 1 - cell.epochs)
            found[kind(cell)] = cost.start_s + cost.epoch_s * (cell.epochs + more * bool(seconds))
    return found


def unanswered(plan: Plan, known: Iterable[Verification]) -> int:
    """How many questions of the plan's verification are still to be asked."""
    passed = {(one.implementation, one.workload, one.device, one.digest) for one in known if one.status == "passed"}
    return sum(
        (entry.name, workload.name, device, plan.gate_digest(entry, workload, device)) not in passed
        for entry in plan.entries
        if entry.gated
        for workload in plan.workloads
        for device in plan.devices
    )
