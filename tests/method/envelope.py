"""How far apart the epochs of correct programs are: the envelope by which measured processes are attested.

    python tests/method/envelope.py --predictions results/quick

reads the stored results (results/*/cells), the oracle's trainings of results/method/trainings.csv (made by
tests/method/trainings.py) and the predictions of a run (kept in results/method/predictions.csv), and writes results/method/envelope.csv and its copy in bench/report/attestation. A row is one quantity of
one network: ``values`` differences were seen, ``rms`` is their root mean square, ``largest`` the largest; ``limit`` is six
times the one or twice the other, whichever is more, and never less than that of the network that was trained most often:
the others were trained too seldom to know how far a training strays once in a while. With order ``given`` two programs start from the same weights and see
the same batches: another framework, device, number of threads, or the oracle rounded in another way. With ``own`` they
shuffle, initialise or drop by themselves: the tutorials' programs, or the oracle with another seed.

Rows of the network ``any`` are as wide as the widest of all, ``share`` being the same for differences in relation to the
reference. ``predict_ratio`` is predicting after an epoch by predicting at once again, medians over a process's epochs,
``predict_share`` the time between the two in shares of an epoch's; their limits are twice the largest.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from trainings import FILE as TRAININGS
from trainings import NOTHING

from bench.data import tutorials
from bench.report import attestation
from bench.store import archive
from bench.store.records.training import TrainingResult

ROOT = Path(__file__).parents[2]
FILE, PREDICTIONS = (ROOT / "results" / "method" / f"{name}.csv" for name in ("envelope", "predictions"))
KEY = ["workload", "order", "quantity"]
QUANTITIES = list(attestation.WORDS)
RMS, LARGEST = 6.0, 2.0
"""How many times the root mean square, and the largest, of the differences that were seen."""


def stored() -> list[tuple[str, TrainingResult]]:
    """All that was trained and kept, with the name of its directory."""
    directories = sorted(path.parent for path in (ROOT / "results").glob("*/cells"))
    return [
        (path.name, result)
        for path in directories
        for result in archive.results(path)
        if isinstance(result, TrainingResult) and result.status == "ok"
    ]


def of_results(results: Sequence[tuple[str, TrainingResult]]) -> Iterator[tuple]:
    """The differences of stored cells from the reference of their block; the control, which repeats it, has none."""
    blocks: dict = {}
    for name, result in results:
        blocks.setdefault((name, result.cell.place, result.cell.block), []).append(result)
    for (name, *_), block in blocks.items():
        able = [one for one in block if attestation.can_be_reference(one, ())]
        reference = next((one for one in able if one.cell.implementation == "matched-pytorch"), None)
        for one in block if reference else ():
            if one is not reference and one.cell.role == "measured":
                for epoch, quantity, own, theirs in attestation.compared(one, reference):
                    about = one.cell.workload.name, attestation.order(one), quantity
                    yield name, f"{name} {one.cell.key}", *about, epoch, own, theirs


def of_trainings(frame: pd.DataFrame) -> Iterator[tuple]:
    """The differences of the oracle's trainings: rounded in another way, and with another seed."""
    runs = {key: part.set_index("epoch") for key, part in frame.groupby(["workload", "seed", "run"])}
    for (name, seed, run), (other_name, other_seed, other_run) in combinations(runs, 2):
        if name != other_name or not (seed == other_seed or run == other_run == 0):
            continue
        drops = any(layer.kind == "dropout" for layer in tutorials.networks()[name].layers)
        kind = "given" if seed == other_seed and not drops else "own"
        a, b = runs[name, seed, run], runs[name, other_seed, other_run]
        for epoch in a.index.intersection(b.index):
            for quantity in QUANTITIES:
                values = b.at[epoch, quantity], a.at[epoch, quantity]
                yield f"oracle {seed}", f"{seed} {run}, {other_seed} {other_run}", name, kind, quantity, epoch, *values


def differences(trainings: pd.DataFrame, results: Sequence[tuple[str, TrainingResult]]) -> pd.DataFrame:
    """Every difference that was seen; a ``fold`` is a stored run, or a seed of the oracle's trainings."""
    columns = ["fold", "pair", *KEY, "epoch", "own", "theirs"]
    found = pd.DataFrame([*of_results(results), *of_trainings(trainings)], columns=columns)
    return found.assign(apart=found["own"] - found["theirs"], share=found["own"] / found["theirs"] - 1)


def width(values: pd.Series) -> float:
    """The limit that follows from the differences that were seen."""
    return max(RMS * float(np.sqrt((values**2).mean())), LARGEST * float(values.abs().max()))


def limits(found: pd.DataFrame) -> pd.DataFrame:
    """A row for each network, kind of order and quantity, then those for any other network."""
    rows = []
    for key, part in found.groupby(KEY):
        values = part["apart"].abs()
        rows.append((*key, len(part), np.sqrt((values**2).mean()), values.max(), width(values), width(part["share"])))
    frame = pd.DataFrame(rows, columns=[*KEY, "values", "rms", "largest", "limit", "share"])
    most = frame[frame["workload"] == frame.loc[frame["values"].idxmax(), "workload"]].set_index(["order", "quantity"])
    least = [most["limit"].get((row["order"], row["quantity"]), 0.0) for _, row in frame.iterrows()]
    frame = frame.assign(limit=np.maximum(frame["limit"], least))
    given = (
        frame[frame["order"] == "given"].groupby("quantity", as_index=False)[["rms", "largest", "limit", "share"]].max()
    )
    counts = frame[frame["order"] == "given"].groupby("quantity")["values"].sum()
    others = given.assign(workload=attestation.ANY, order="given", values=given["quantity"].map(counts))
    return pd.concat([frame.assign(share=np.nan), others])[list(frame)]


def predictions_of(results: Sequence[tuple[str, TrainingResult]]) -> pd.DataFrame:
    """The epochs of those processes that predicted once more at once."""
    rows = [
        (result.cell.key, epoch.epoch, epoch.train_s, epoch.predict_s, epoch.again_s)
        for _, result in results
        for epoch in result.epochs
        if epoch.again_s is not None
    ]
    return pd.DataFrame(rows, columns=["cell", "epoch", "train_s", "predict_s", "again_s"])


def predicting(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of predicting."""
    typical = frame.groupby("cell")[["train_s", "predict_s", "again_s"]].median()
    share = (typical["predict_s"] - typical["again_s"]).abs() / typical["train_s"]
    rows = []
    for quantity, values in (("predict_ratio", typical["predict_s"] / typical["again_s"]), ("predict_share", share)):
        rms, largest = float(np.sqrt((values**2).mean())), float(values.max())
        rows.append((attestation.ANY, "", quantity, len(values), rms, largest, LARGEST * largest, np.nan))
    return pd.DataFrame(rows, columns=[*KEY, "values", "rms", "largest", "limit", "share"])


def read_trainings() -> pd.DataFrame:
    """The oracle's trainings, with and without a mistake."""
    return pd.read_csv(TRAININGS)


def made() -> str:
    """The CSV."""
    results = stored()
    trainings = read_trainings()
    correct = trainings[trainings["planted"] == NOTHING]
    predictions = pd.concat([predictions_of(results), pd.read_csv(PREDICTIONS)]).drop_duplicates(["cell", "epoch"])
    frame = pd.concat([limits(differences(correct, results)), predicting(predictions)])
    data = {result.cell.data for _, result in results} - {""}
    assert len(data) == 1, data
    return frame.assign(data=data.pop()).to_csv(index=False, float_format="%.4g")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=Path, help="a result directory whose predictions are kept")
    asked = parser.parse_args()
    if asked.predictions:
        found = [("", one) for one in archive.results(asked.predictions) if isinstance(one, TrainingResult)]
        predictions_of(found).round(4).to_csv(PREDICTIONS, index=False)
    for path in (FILE, attestation.ENVELOPE):
        path.write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    main()
