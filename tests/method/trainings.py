"""Whole trainings in float32, each rounded in another way or with a planted mistake, for the envelope of the timed epochs.

    python tests/method/trainings.py mlp-128-64 --seeds 4 --runs 3
    python tests/method/trainings.py mlp-128-64 --seeds 3 --mistakes

The oracle trains in the workload's own precision. Run 0 of a seed is as the harness would have it; the others start from
weights that differ in their last bit and take the images of each batch in another order, as more threads would sum them.
Rows are added to results/method/trainings.csv: an epoch each, in the words of epochs.csv.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from planted import MISTAKES, planted
from programs import store

from bench.data import download, mnist, tutorials
from bench.verification.oracle import ULP, mixed, nudged
from bench.worker import timing
from impls.contract import Data
from impls.oracle import training
from impls.workload import Workload

FILE = Path(__file__).parents[2] / "results" / "method" / "trainings.csv"
KEY = ["workload", "planted", "seed", "run", "epoch"]
NOTHING = "nothing"
"""What is planted in a correct program."""


class Narrow(training.Implementation):
    """The oracle in float32."""

    def set_weights(self, weights):
        self.weights = training.widened(weights, np.float32)

    def train_epoch(self, order):
        self.weights, loss, self.state = training.train_steps(
            self.workload, self.weights, self.x_train, self.y_train, order, *self.adam, self.state, np.float32, self.rng
        )
        return loss


def trained(workload: Workload, data: Data, planted_: str, seed: int, run: int, epochs: int) -> pd.DataFrame:
    """One training, an epoch a row."""
    program = (Narrow if planted_ == NOTHING else planted(planted_, Narrow))(workload, "cpu", [seed, run])
    program.load(data)
    weights = training.initial_weights(workload, np.random.default_rng([seed, 0]))
    program.set_weights(nudged(weights, run, ULP["float32"]))
    orders, rows = timing.batch_orders(workload, len(data.y_train), seed), []
    for epoch, order in zip(range(1, epochs + 1), orders, strict=False):
        loss = program.train_epoch(mixed(order, workload.batch_size, run))
        test_loss, accuracy = timing.score(program.predict(), data.y_test)
        rows.append((workload.name, planted_, seed, run, epoch, loss, test_loss, accuracy))
    return pd.DataFrame(rows, columns=[*KEY, "train_loss", "test_loss", "accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="+")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--further", type=int, default=5, help="epochs beyond the network's own")
    parser.add_argument("--mistakes", action="store_true")
    parser.add_argument("--only", nargs="*")
    asked = parser.parse_args()
    data = mnist.load(download.find())
    for name in asked.workload:
        workload = tutorials.networks()[name]
        for seed in range(1, asked.seeds + 1):
            for mistake in (asked.only or MISTAKES) if asked.mistakes else [NOTHING]:
                for run in [asked.runs] if mistake != NOTHING else range(asked.runs):
                    found = trained(workload, data, mistake, seed, run, workload.epochs + asked.further)
                    store(found, FILE, KEY)
                    print(name, mistake, seed, run, flush=True)


if __name__ == "__main__":
    main()
