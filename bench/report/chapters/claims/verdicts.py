"""What becomes of a claim: a verdict with what it rests on, and its words. Words are made here and never read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd

from bench.display.numbers import Reason
from bench.statistics import ClaimVerdict

PROBE = "probe"
"""The tier under which the ledger has what was probed and not timed."""
OPEN = (ClaimVerdict.NOT_TESTED, ClaimVerdict.WITHHELD)
"""Where there is no figure, so that a reason stands in its place."""


class Basis(Enum):
    """What a verdict rests on where that is not an interval over blocks."""

    ONE_PROCESS = "by one process"
    DEFAULT_MODE = "by default"
    COUNTED = "a matter of taste"


@dataclass(frozen=True)
class Ruling:
    """A verdict, what it rests on, and the reason where there is no figure."""

    verdict: ClaimVerdict
    basis: Basis | None = None
    reason: str = ""

    @property
    def words(self) -> str:
        """``refuted, by one process``, ``confirmed by default``, ``not tested: no CUDA device``."""
        return f"{self.word}: {self.reason}" if self.verdict in OPEN and self.reason else self.word

    @property
    def word(self) -> str:
        """The same without the reason: ``not tested``."""
        if self.basis is None:
            return self.verdict.value
        return f"{self.verdict.value}{'' if self.basis is Basis.DEFAULT_MODE else ','} {self.basis.value}"


def not_tested(reason: str = "") -> Ruling:
    """Nothing was measured, for this reason."""
    return Ruling(ClaimVerdict.NOT_TESTED, reason=reason)


def ruling(row: Mapping[Any, Any] | pd.Series) -> Ruling:
    """The ruling that a frame's row holds in the columns ``verdict``, ``basis`` and ``reason``."""
    return Ruling(row["verdict"], row.get("basis"), row["reason"])


def cell(row: pd.Series) -> str:
    """A row's ruling in words, as a cell of a table for people."""
    of_row = ruling(row)
    return Reason(of_row.words) if of_row.verdict in OPEN else of_row.words


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of rulings as its CSV has it: ``verdict`` in words, without what it rests on as a column of its own."""
    words = [ruling(row).word for row in frame.to_dict("records")]
    return frame.assign(verdict=words).drop(columns="basis")
