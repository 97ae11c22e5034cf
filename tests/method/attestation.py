"""Which planted mistakes are found, by which net, and how often a correct program is refused.

    python tests/method/attestation.py

judges, with the functions that judge real sessions, what is stored in results/method: the gate's whole epochs
(whole_epochs.csv), the oracle's trainings (trainings.csv), and the predictions of correct programs (predictions.csv), of
which a part of each epoch is put off until then. Writes results/method/attestation.csv, a row for each mistake, net and
number of timed epochs with the share of trials in which it was found, and the tables of docs/method.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import envelope
import numpy as np
import pandas as pd
from simulate import PAGE, filled, percent
from trainings import NOTHING

from bench.report import attestation
from bench.store.records.training import Epoch, TrainingResult

FILE, WHOLE = (envelope.ROOT / "results" / "method" / f"{name}.csv" for name in ("attestation", "whole_epochs"))
NETWORK = "mlp-128-64"
EPOCHS = (1, 3, 5, 10)
NOISY = 1.5
"""Times of a noisy machine are up to so many times too long, each by a factor of its own."""
PUT_OFF = (0.1, 0.2, 1 / 3)
DRAWS = 2000
BEFORE = Epoch(0, None, None, 0.1, None, 2.3, 0.1)
COLUMNS = ["mistake", "net", "epochs", "trials", "found"]


def process(template: TrainingResult, training: pd.DataFrame, ordered: bool, name: str) -> TrainingResult:
    """A training as if a process had been measured."""
    rows = [
        Epoch(int(row.epoch), 1.0, 1.0, 0.1, float(row.train_loss), float(row.test_loss), float(row.accuracy))
        for row in training.itertuples()
    ]
    cell = replace(template.cell, implementation=name)
    return replace(template, cell=cell, epochs=(BEFORE, *rows), switches={"takes_order": ordered})


def of_losses(trainings: pd.DataFrame, template: TrainingResult) -> Iterator[tuple]:
    """How often each mistake leaves the envelope, with the order of the reference and with one of its own."""
    own = trainings[trainings["workload"] == NETWORK]
    references = dict(iter(own[(own["planted"] == NOTHING) & (own["run"] == 0)].groupby("seed")))
    tried = own[(own["planted"] != NOTHING) | (own["run"] > 0)]
    for (mistake, ordered), epochs in product(product(tried["planted"].unique(), (True, False)), EPOCHS):
        found = []
        for (seed, _), part in tried[tried["planted"] == mistake].groupby(["seed", "run"]):
            for other, reference in references.items():
                if (seed == other) == ordered:
                    one = process(template, part[part["epoch"] <= epochs], ordered, "planted")
                    found.append(attestation.losses(one, process(template, reference, True, "reference"))[0] == "no")
        yield mistake, f"losses, {'given' if ordered else 'own'} order", epochs, len(found), np.mean(found)


def of_gate(whole: pd.DataFrame) -> Iterator[tuple]:
    """What the gate's two whole epochs find: the same again and again, since nothing is drawn but the start."""
    for mistake, checks in whole[(whole["of"] == "planted") & (whole["workload"] == NETWORK)].groupby(
        "name", sort=False
    ):
        yield mistake, "gate", 2, 1, float(not checks["passed"].all())
    correct = whole[whole["of"] != "planted"]
    refused = ~correct.groupby(["workload", "of", "name"])["passed"].all()
    yield NOTHING, "gate", 2, len(refused), refused.mean()


def of_predictions(frame: pd.DataFrame, template: TrainingResult) -> Iterator[tuple]:
    """How often the time of predicting tells, with the noise of the machine on each time."""
    random = np.random.default_rng(1)
    cells = [part for _, part in frame.groupby("cell")]
    for share, epochs in product((0.0, *PUT_OFF), (1, 3, 5)):
        found = []
        for draw in range(DRAWS):
            part = cells[draw % len(cells)].sample(epochs, replace=True, random_state=random)
            train_s, predict_s, again_s = (part[name] * random.uniform(1, NOISY, epochs)
                                           for name in ("train_s", "again_s", "again_s"))  # fmt: skip
            times = zip(train_s * (1 - share), predict_s + train_s * share, again_s, strict=True)
            rows = [Epoch(n, a, a, b, 0.1, 0.1, 0.9, again_s=c) for n, (a, b, c) in enumerate(times, 1)]
            found.append(attestation.predictions(replace(template, epochs=(BEFORE, *rows)))[0] == "no")
        mistake = f"{share * 100:.0f} % of an epoch trained in predict" if share else NOTHING
        yield mistake, "predictions", epochs, DRAWS, np.mean(found)


def left_out(trainings: pd.DataFrame) -> Iterator[tuple]:
    """Correct trainings against limits that were made without them, fold by fold: how many would be refused."""
    found = envelope.differences(trainings[trainings["planted"] == NOTHING], envelope.stored())
    for kind, part in found[found["workload"] == NETWORK].groupby("order"):
        refused = []
        for fold in part["fold"].unique():
            limits = envelope.limits(found[found["fold"] != fold]).set_index(envelope.KEY)["limit"]
            held = part[part["fold"] == fold]
            beyond = held["apart"].abs() > held["quantity"].map(lambda name: limits[NETWORK, kind, name])  # noqa: B023
            refused += list(beyond.groupby(held["pair"]).any())
        yield NOTHING, f"losses, {kind} order, left out", int(part["epoch"].max()), len(refused), np.mean(refused)


def tables(frame: pd.DataFrame) -> dict[str, str]:
    """The tables of the page by name: what is found, and what putting work off until the predictions takes to be found."""
    shares = {tuple(row[:3]): percent(row[4]) for row in frame.to_numpy()}
    given, own = (f"losses, {kind} order" for kind in ("given", "own"))
    columns = [("gate", 2), *((given, epochs) for epochs in EPOCHS), (own, 5)]
    heads = ["gate", *(f"{epochs} epoch{'s' * (epochs > 1)}" for epochs in EPOCHS), "own order, 5 epochs"]
    lines = [["mistake", *heads], ["---", *["---:"] * len(heads)]]
    for mistake in [name for name in frame["mistake"].unique() if "% of" not in name]:
        lines.append([mistake, *(shares.get((mistake, *column), "–") for column in columns)])
    put_off = [
        ["work put off until predict", *(f"{epochs} epoch{'s' * (epochs > 1)}" for epochs in (1, 3, 5))],
        ["---", *["---:"] * 3],
    ]
    for mistake in frame.loc[frame["net"] == "predictions", "mistake"].unique():
        put_off.append([mistake, *(shares[mistake, "predictions", epochs] for epochs in (1, 3, 5))])
    return {name: "\n".join(f"| {' | '.join(line)} |" for line in rows)
            for name, rows in (("mistakes", lines), ("put-off", put_off))}  # fmt: skip


def made() -> pd.DataFrame:
    """All rows."""
    template = next(one for _, one in envelope.stored() if one.cell.workload.name == NETWORK)
    trainings = pd.read_csv(envelope.TRAININGS)
    predictions = pd.read_csv(envelope.PREDICTIONS)
    rows = [*of_gate(pd.read_csv(WHOLE)), *of_losses(trainings, template), *of_predictions(predictions, template)]
    return pd.DataFrame([*rows, *left_out(trainings)], columns=COLUMNS).round(4)


def main() -> None:
    frame = made()
    frame.to_csv(FILE, index=False)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables(frame)), encoding="utf-8")


if __name__ == "__main__":
    main()
