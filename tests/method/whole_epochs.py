"""The gate's whole epochs in float64: what rounding does to them, what frameworks do, and what planted mistakes do.

    python tests/method/whole_epochs.py rounding mlp-128-64 mlp-128-256
    python tests/method/whole_epochs.py programs mlp-128-64 --names matched-pytorch matched-keras
    python tests/method/whole_epochs.py planted mlp-128-64

writes results/method/whole_epochs.csv: for each training the figure of a check and its limit, after one epoch and two.
``rounding`` is the oracle itself, nudged in the last bit and with each batch in another order.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from planted import MISTAKES, planted
from programs import store

from bench.data import download, mnist, tutorials
from bench.verification import dropout, whole
from bench.verification.candidate import Candidate
from bench.verification.oracle import ULP, mixed, nudged
from impls import registry
from impls.loading import find_class
from impls.oracle.training import Implementation
from impls.workload import Workload

FILE = Path(__file__).parents[2] / "results" / "method" / "whole_epochs.csv"
KEY = ["workload", "of", "name", "check"]
RUNS = 1


class Rounded(Implementation):
    """The oracle, rounded in another way."""

    run = 1

    def set_weights(self, weights):
        super().set_weights(nudged(weights, self.run, ULP["float64"]))

    def train_epoch(self, order):
        return super().train_epoch(mixed(order, self.workload.batch_size, self.run))


def programs(of: str, names: list[str]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """What is judged, by its name."""
    if of == "rounding":
        yield from ((f"run {run}", type("Implementation", (Rounded,), {"run": run})) for run in range(1, RUNS + 1))
    elif of == "planted":
        yield from ((name, planted(name, Implementation)) for name in names or MISTAKES)
    else:
        entries = {entry.name: entry for entry in registry.installed()}
        yield from ((name, find_class(entries[name].module, entries[name].attribute)) for name in names)


def judged(workload: Workload, of: str, names: list[str], cache: Path) -> pd.DataFrame:
    """The checks of all these programs."""
    data, rows = mnist.load(download.find()), []
    for name, make in programs(of, names):
        start = time.perf_counter()
        candidate = Candidate.of(make, "cpu", 1, cache)
        still = replace(workload, layers=tuple(map(dropout.at_rate_0, workload.layers)))
        for check in whole.check_whole_epochs(candidate, still, data):
            rows.append((workload.name, of, name, check.name, check.figure, check.limit, check.passed, check.note))
        print(workload.name, name, f"{time.perf_counter() - start:.1f} s", flush=True)
    return pd.DataFrame(rows, columns=[*KEY, "figure", "limit", "passed", "note"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("of", choices=("rounding", "programs", "planted"))
    parser.add_argument("workload", nargs="+")
    parser.add_argument("--names", nargs="*", default=[])
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args()
    np.seterr(all="raise", under="ignore")
    asked.cache.mkdir(exist_ok=True)
    for name in asked.workload:
        found = judged(tutorials.networks()[name], asked.of, asked.names, asked.cache)
        found[["figure", "limit"]] = found[["figure", "limit"]].map(
            lambda value: float(f"{value:.3g}"), na_action="ignore"
        )
        store(found, FILE, KEY)


if __name__ == "__main__":
    main()
