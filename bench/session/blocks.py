"""What is measured side by side, what of it is still to be measured, and what disturbed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.display import naming
from bench.machine import disturbances
from bench.store.records.cell import Cell, Place, Result


@dataclass(frozen=True)
class Block:
    """The cells of one place and block, in their order; ``missing`` are still to be measured, as the ``attempt``-th.

    ``why`` says what disturbed the attempt before.
    """

    cells: Sequence[Cell]
    missing: Sequence[Cell]
    attempt: int
    why: str

    @property
    def place(self) -> Place:
        """What its cells have in common."""
        return self.cells[0].place

    def again(self, why: str) -> "Block":
        """The same once more, all of it, so that its cells stay side by side in time."""
        return Block(self.cells, self.cells, self.attempt + 1, why)


def unfinished(cells: Sequence[Cell], kept: Mapping[str, Result]) -> list[Block]:
    """The cells by block, in their order; those that are ``kept`` (by key) are not missing.

    Where the repetition of a block was interrupted, what is left of the attempt before is missing too.
    """
    found: dict[tuple[Place, int], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.place, cell.block), []).append(cell)
    blocks = []
    for own in found.values():
        old = [kept[cell.key] for cell in own if cell.key in kept]
        latest = max(old, key=lambda result: result.attempt, default=None)
        attempt, why = (latest.attempt, latest.repeated) if latest else (1, "")
        missing = [cell for cell in own if cell.key not in kept or kept[cell.key].attempt < attempt]
        blocks.append(Block(own, missing, attempt, why))
    return blocks


def disturbance(block: Sequence[Result]) -> str:
    """What disturbed a block, the first thing of each cell; empty where nothing did."""
    found = [
        (result.cell, what) for result in block if result.status == "ok" and (what := disturbances.disturbances(result))
    ]
    return "; ".join(f"{cell.implementation}{naming.as_role(cell.role)}: {what[0]}" for cell, what in found)
