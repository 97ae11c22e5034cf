"""What the columns of the CSVs are: a :class:`Table` stands beside the code that fills it; the guide lists them all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.machine.metering import Meter
from impls.frameworks import COMPARED


@dataclass(frozen=True)
class Column:
    """A column of a CSV: its name, its unit (empty for words), what it means."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A CSV: what a row of it is, and its columns in their order."""

    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def frame(self, rows: Iterable[Any], *others: str) -> pd.DataFrame:
        """Rows, dictionaries or tuples, as a frame with these columns, and with ``others`` that are not written."""
        return pd.DataFrame(list(rows), columns=[*self.names, *others])

    def whole(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with its counts and bytes as integers, also where some are missing: 995045376, not 995045376.0."""
        counts = [column.name for column in self.columns if column.unit in ("count", "bytes") and column.name in frame]
        return frame.astype(dict.fromkeys(counts, "Int64"))


def of_meters(read: Sequence[Meter]) -> list[Column]:
    """The columns of what meters read, in their order."""
    return [Column(one.name, one.unit, one.meaning) for meter in read for one in meter.quantities]


def guide(frames: Mapping[str, pd.DataFrame], tables: Mapping[str, Table]) -> str:
    """A Markdown table of names, units and meanings for each frame, by the path of its file; ``tables`` explain them.

    Raises KeyError for a frame or a column that is not explained.
    """
    parts = [
        "# The CSVs, column by column\n\nMissing values are empty, never 0. Every row of `runs.csv`, `epochs.csv` and "
        "`curves.csv` names its cell in the same columns.\n"
    ]
    for path, frame in frames.items():
        table = tables[path]
        by_name = {column.name: column for column in table.columns}
        described = [by_name[name] for name in map(str, frame)]
        lines = [f"| `{column.name}` | {column.unit} | {column.meaning} |\n" for column in described]
        parts.append(f"\n## {path}\n\n{table.meaning}\n\n| column | unit | meaning |\n|---|---|---|\n{''.join(lines)}")
    return "".join(parts)


# fmt: off
CELL = Column("cell", "", "the cell's name, unique; its file is cells/CELL.json")
IMPLEMENTATION = Column("implementation", "", "TIER-FRAMEWORK, with -BACKEND where there are several, or a plugin's "
                        "own name")
TIER = Column("tier", "", "documented, matched, tuned, reference or plugin")
FRAMEWORK = Column("framework", "", f"{', '.join(COMPARED)}, ...")
WORKLOAD = Column("workload", "", "the network, see fcnbench list")
DEVICE = Column("device", "", "cpu, cuda (the first GPU that may be used), cuda:N (the one at that position) or mps")
THREADS = Column("threads", "count", "CPU threads that the process was given")
BLOCK = Column("block", "number", "every implementation is measured once in a block; cells of a block share their seed")
ROLE = Column("role", "", "measured, or control: the same program once more, which shows how much the machine differs "
              "from itself; in tables/sweep.csv sweep: the program at other sizes")
EPOCH = Column("epoch", "number", "epoch; 0 is before training")
EPOCHS = Column("epochs", "count", "epochs that were trained")
PROCESSES = Column("processes", "count", "processes behind the figures")
BLOCKS = Column("blocks", "count", "blocks behind the figures")
PREDICT_S = Column("predict_s", "s", "predicting the test set; where images are held out, these and 2,000 training "
                   "images besides")
ACCURACY = Column("accuracy", "0 to 1", "share of the test images that are recognised, computed by the harness from "
                  "the logits")
EPOCH_S = Column("epoch_s", "s", "geometric mean of the steady epochs, which are all but the first")
FIRST_EPOCH_S = Column("first_epoch_s", "s", "the first epoch: with tracing and compilation")
IMPORT_S = Column("import_s", "s", "importing the implementation, and with it its framework")
PROCESS_PEAK_BYTES = Column("process_peak_bytes", "bytes", "most host memory that the whole process held at a time")
CPU_PER_WALL = Column("cpu_per_wall", "CPUs", "CPU time per second of a steady epoch, the geometric mean")
IDLE_S = Column("idle_s", "s", "by how much the steady epochs exceed their CPU time, where they do: at least so long "
                "the process waited, or had no CPU (docs/waiting.md); the mean, since few of them may; empty on a GPU")
P = Column("p", "probability", "of a difference at least as large where there is none (Student's t over blocks)")
DELTA = Column("delta", "relative", "differences up to here are called equivalent")
MACHINE = Column("machine", "", "digest of what decides speed: processor, CPUs, memory, system, GPU")
WHICH_CELL = (CELL, IMPLEMENTATION, TIER, FRAMEWORK, WORKLOAD, DEVICE, THREADS, BLOCK, ROLE)
CONFIGURATION = (WORKLOAD, DEVICE, THREADS)
# fmt: on
