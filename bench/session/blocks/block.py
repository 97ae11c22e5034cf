"""A block: what is measured side by side. Where something disturbed it, it is measured once more as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.display import naming
from bench.machine import disturbances
from bench.session.plan import stage_of
from bench.store.records.cell import Cell, Place, Result


@dataclass(frozen=True)
class Block:
    """The cells of one place, stage and block, in their order.

    ``missing`` are still to be measured, as the ``attempt``-th; ``why`` says what disturbed the attempt before.
    """

    cells: Sequence[Cell]
    missing: Sequence[Cell]
    attempt: int
    why: str

    @property
    def place(self) -> Place:
        """What its cells have in common."""
        return self.cells[0].place

    def is_like(self, cell: Cell) -> bool:
        """Whether a cell is of the same place and stage, in whatever block."""
        first = self.cells[0]
        return cell.place == first.place and stage_of(cell.tier, cell.role) == stage_of(first.tier, first.role)

    def again(self, why: str) -> "Block":
        """The same once more, all of it, so that its cells stay side by side in time."""
        return Block(self.cells, self.cells, self.attempt + 1, why)


def unfinished(cells: Sequence[Cell], kept: Mapping[str, Result]) -> list[Block]:
    """The cells by block, in their order; those that are ``kept`` (by key) are not missing.

    Where the repetition of a block was interrupted, what is left of the attempt before is missing too.
    """
    by_block: dict[tuple[Place, int, int], list[Cell]] = {}
    for cell in cells:
        by_block.setdefault((cell.place, stage_of(cell.tier, cell.role), cell.block), []).append(cell)
    blocks = []
    for in_block in by_block.values():
        before = [kept[cell.key] for cell in in_block if cell.key in kept]
        latest = max(before, key=lambda result: result.attempt, default=None)
        attempt, why = (latest.attempt, latest.repeated) if latest else (1, "")
        missing = [cell for cell in in_block if cell.key not in kept or kept[cell.key].attempt < attempt]
        blocks.append(Block(in_block, missing, attempt, why))
    return blocks


def disturbance(block: Sequence[Result]) -> str:
    """What disturbed a block, the first thing of each cell; empty where nothing did."""
    found = [
        (result.cell, what) for result in block if result.status == "ok" and (what := disturbances.disturbances(result))
    ]
    return "; ".join(f"{cell.implementation}{naming.as_role(cell.role)}: {what[0]}" for cell, what in found)
