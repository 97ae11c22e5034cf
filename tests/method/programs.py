"""What the scripts here do with implementations and with what they timed."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from impls.contract import Data, Implementation
from impls.oracle import training
from impls.workload import Workload

SEED = 1
T = TypeVar("T", bound=Implementation)


def started(make: Callable[..., T], workload: Workload, data: Data) -> T:
    """An implementation on the CPU with its data and the start weights of ``SEED``."""
    program = make(workload, "cpu", SEED)
    program.load(data)
    program.set_weights(training.initial_weights(workload, np.random.default_rng(SEED)))
    return program


def store(found: pd.DataFrame, path: Path, by: list[str]) -> None:
    """Put the rows into the CSV, in the place of those that it has with the same values in the columns ``by``."""
    before = pd.read_csv(path) if path.exists() else found.iloc[:0]
    again = before.set_index(by).index.isin(found.set_index(by).index)
    pd.concat([frame for frame in (before[~again], found) if len(frame)]).to_csv(path, index=False)
