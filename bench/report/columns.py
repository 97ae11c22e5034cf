"""What the columns of the CSVs mean: a guide, in Markdown, to the frames that were written."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

MEANINGS = Path(__file__).with_suffix(".toml")
UNITS = {"_s": "s", "_bytes": "bytes", "_j": "J"}
DATA = ("runs", "epochs", "curves", "machines")
"""Those that lie beside the report; the others are in ``tables``."""


@cache
def meanings() -> dict[str, Any]:
    """The meanings, by file; ``all`` is for every file that has such a column."""
    return tomllib.loads(MEANINGS.read_text(encoding="utf-8"))


def guide(frames: Mapping[str, pd.DataFrame]) -> str:
    """A table of names, units and meanings for each frame, named as its file.

    Raises KeyError for a frame or a column that :data:`MEANINGS` does not explain.
    """
    parts = [
        "# The CSVs, column by column\n\nMissing values are empty, never 0. Every row of `runs.csv`, `epochs.csv` and "
        "`curves.csv` names its cell in the same columns.\n"
    ]
    for name, frame in frames.items():
        path = f"{name}.csv" if name in DATA else f"tables/{name}.csv"
        lines = [f"| `{column}` | {' | '.join(explained(name, column))} |" for column in map(str, frame)]
        head = f"\n## {path}\n\n{meanings()[name]['']}\n\n| column | unit | meaning |\n|---|---|---|\n"
        parts.append(head + "\n".join(lines) + "\n")
    return "".join(parts)


def explained(file: str, column: str) -> tuple[str, str]:
    """Unit and meaning of a column."""
    text: str = meanings()[file].get(column) or meanings()["all"][column]
    if text.startswith("["):
        unit, _, text = text[1:].partition("] ")
        return unit, text
    stem = next(
        (ending for ending in UNITS if column.removesuffix("_low").removesuffix("_high").endswith(ending)), None
    )
    return UNITS[stem] if stem else "", text
