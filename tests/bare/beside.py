"""Is a figure of the harness the figure of the bare program? Runs both in turn and compares them pair by pair.

    python tests/bare/beside.py matched-pytorch loop.py --pairs 10 --epochs 8 --out results/reference/bare.csv

Each pair is a block: a bare script and a cell of `fcnbench`, each in a process of its own with the same environment,
in random order. The rows are added to the CSV; the ratio harness / bare is printed with its interval.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pandas as pd

from bench import statistics
from bench.data import download, mnist, tutorials
from bench.machine import cpus as machine_cpus
from bench.machine import description
from bench.session.blocks import rounds
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store import archive
from bench.worker import process
from impls import environment, registry
from impls.registry import Entry

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("implementation")
    parser.add_argument("script")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    entry = next(entry for entry in registry.BUILT_IN if entry.name == asked.implementation)
    cpus, data = machine_cpus.available_cpus(), download.find()
    rows = []
    with TemporaryDirectory() as folder:
        plan = Plan(
            [tutorials.networks()["mlp-128-64"]], [entry], ["cpu"], [len(cpus)], asked.pairs, asked.epochs, 1,
            mnist.describe(data).digest,
        )  # fmt: skip
        session = Session(Path(folder), {entry.name: entry}, data, description.machine(), 900)
        cells = sorted((cell for cell in plan.cells() if cell.role == "measured"), key=lambda cell: cell.block)
        with archive.opened(Path(folder)):
            for cell in cells:
                row = {"implementation": entry.name, "script": asked.script, "block": cell.block, "epochs": cell.epochs}
                for who in random.sample(["harness", "bare"], 2):
                    row |= harness(session, cell) if who == "harness" else bare(asked, entry, cpus, data)
                rows.append(row)
                print(json.dumps(row), flush=True)
    frame = pd.DataFrame(rows)
    if asked.out:
        before = [pd.read_csv(asked.out)] if asked.out.exists() else []
        pd.concat([*before, frame]).to_csv(asked.out, index=False)  # by name: a row begins with whoever went first
    ratio = statistics.paired_ratio(list(frame["harness_s"]), list(frame["bare_s"]))
    print(f"{entry.name} / {asked.script}: {ratio.estimate:.4f} ({ratio.low:.4f} to {ratio.high:.4f})")


def harness(session: Session, cell) -> dict[str, float]:
    (result,) = rounds.measured(session, [cell], random.Random(0), lambda costs: dict.fromkeys(costs, 0))
    assert result.status == "ok", result.reason
    return {
        "harness_s": median(epoch.train_s for epoch in result.epochs[2:]),
        "harness_accuracy": result.epochs[-1].accuracy,
        "parent_cpu_per_wall": result.readings["parent_cpu_s"] / result.phases.process_s,
    }


def bare(asked: argparse.Namespace, entry: Entry, cpus: tuple[int, ...], data: Path) -> dict[str, float]:
    with process.affinity(cpus):
        done = subprocess.run(
            [sys.executable, HERE / asked.script, data, str(asked.epochs)],
            env={**os.environ, **environment.environment(entry, "cpu", len(cpus))},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    return {"bare_s": median(answer["train_s"][1:]), "bare_accuracy": answer["accuracy"]}


if __name__ == "__main__":
    main()
