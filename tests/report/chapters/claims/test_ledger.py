"""The ledger: every claim of the documents beside what was measured, on results made by hand."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from synthetic import MACHINE, clear, result, session

from bench.data import tutorials
from bench.report import runs as report_runs
from bench.report.chapters.claims import decisions, scorecard, tables, verdicts
from bench.report.chapters.claims import ledger as claims_ledger
from bench.store.records.training import Epoch, TrainingResult

CNN = tutorials.networks()["cnn-32-64"]
ADAM, SGD = (tutorials.networks()[name] for name in ("mlp-128-256", "mlp-128-256-sgd"))


def ledger(results: list[TrainingResult]) -> pd.DataFrame:
    """The ledger of these results."""
    return claims_ledger.ledger(
        report_runs.runs_frame(results, []),
        report_runs.epochs_frame(results),
        results,
        report_runs.machines_frame([MACHINE]),
    )


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """The ledger as its CSV has it, each verdict with its reason."""
    own = verdicts.in_words(frame)
    reasons = own["reason"].fillna("").map(lambda reason: f": {reason}" if reason else "")
    return own.assign(verdict=own["verdict"] + reasons)


def of(frame: pd.DataFrame, says: str, implementation: str | None = None) -> Any:
    """The one row about a claim and an implementation, its verdict in words."""
    own = in_words(frame)
    own = own[own["says"].str.contains(says, regex=False)]
    own = own if implementation is None else own[own["implementation"] == implementation]
    assert len(own) == 1, own
    return own.iloc[0]


def trained(accuracies: list[float], **changes: Any) -> TrainingResult:
    """A result whose epochs had these test accuracies."""
    rows = [Epoch(0, None, None, 0.2, None, 2.3, 0.1)]
    rows += [Epoch(i, 1.0, 1.0, 0.2, 0.3, 0.3, accuracy) for i, accuracy in enumerate(accuracies, start=1)]
    return replace(result("documented-pytorch", epochs=len(accuracies), **changes), epochs=tuple(rows))


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [([44.0, 45.0, 46.0], "confirmed"), ([9.0, 9.1, 9.2], "other hardware"), ([30.0, 45.0, 60.0], "undecided"),
     ([45.0], "confirmed, by one process"), ([9.0], "other hardware, by one process")],
)  # fmt: skip
def test_a_time_holds_where_its_whole_interval_is_as_claimed(seconds: list[float], verdict: str) -> None:
    """About 45 s is from 41 to 49.5 s; an interval that reaches over an end decides nothing, and nothing refutes it."""
    found = of(ledger(session({"documented-pytorch": seconds})), "PyTorch takes about 45 s")
    assert found["verdict"] == verdict and found["blocks"] == len(seconds)
    assert pd.isna(found["low"]) == (len(seconds) == 1)


@pytest.mark.parametrize(
    ("accuracy", "epochs", "verdict"),
    [(0.980, 5, "confirmed"), (0.970, 5, "refuted"), (0.980, 2, "not tested: trained for 2 of 5 epochs"),
     (0.980, 6, "confirmed")],
)  # fmt: skip
def test_an_accuracy_is_held_to_a_claim_once_the_training_is_done(accuracy: float, epochs: int, verdict: str) -> None:
    """Fewer epochs than the document's decide nothing about the end; more do."""
    results = [
        result("documented-pytorch", accuracy=accuracy + 0.0001 * block, epochs=epochs, block=block)
        for block in (1, 2, 3)
    ]
    assert of(ledger(results), "PyTorch reaches 97.8 to 98.2 %")["verdict"] == verdict


def test_a_contrast_is_judged_block_by_block() -> None:
    """PyTorch in nine tenths of TensorFlow's time, although the blocks themselves differ by far more."""
    results = session({"documented-pytorch": [0.9, 1.8, 3.6], "documented-keras": [1.0, 2.0, 4.0]})
    found = of(ledger(results), "about 10 % faster")
    assert found["value"] == pytest.approx(0.9) and found["verdict"] == "confirmed" and found["tier"] == "documented"
    assert found["rows"] == (
        "workload == 'mlp-128-64' and implementation in ['documented-pytorch', 'documented-keras'] and role == "
        "'measured'"
    )
    runs = report_runs.runs_frame(results, [])
    assert len(runs.query(found["rows"])) == 6


def test_a_contrast_is_within_a_tier() -> None:
    """The documented PyTorch against the matched Keras is nobody's claim."""
    found = of(ledger(session({"documented-pytorch": [9.0], "matched-keras": [1.0]})), "about 10 % faster")
    assert found["blocks"] == 0 and found["verdict"].startswith("not tested: needs both")


def test_programs_of_other_tiers_decide_nothing() -> None:
    """A tutorial speaks of its own program."""
    found = of(ledger([result("matched-pytorch", epoch_s=45.0, epochs=5)]), "PyTorch takes about 45 s")
    assert found["verdict"] == "not tested: mlp-128-64 as the tutorial writes it was not run"


def test_accuracies_of_many_networks_are_held_to_what_is_said_of_their_kind() -> None:
    """Dense networks to 97 %, convolutional ones to 99 %, all to chance before training, in every framework."""
    results = [
        result("documented-pytorch", accuracy=0.972, epochs=5),
        result("documented-keras", workload=CNN, accuracy=0.98, epochs=5),
    ]
    frame = ledger(results)
    assert of(frame, "at most about 97 %")["implementation"] == "documented-pytorch"
    assert of(frame, "at most about 97 %")["verdict"] == "confirmed, by one process"
    assert of(frame, "with convolutions 99 %", "documented-keras")["verdict"] == "refuted, by one process"
    assert of(frame, "a network guesses", "documented-pytorch")["verdict"] == "confirmed, by one process"
    assert len(frame[frame["says"].str.contains("a network guesses")]) == 2


def test_keras_on_another_backend_is_not_what_document_1_speaks_of() -> None:
    """Its times are nobody's claim."""
    found = of(ledger([result("matched-keras-jax")]), "TensorFlow takes about 50 s")
    assert found["blocks"] == 0 and found["verdict"].startswith("not tested")


def test_how_much_accuracies_vary_is_compared_over_epochs_and_over_seeds() -> None:
    """The first epoch, in which everything is learned, does not count."""
    results = []
    for block, last in ((1, 0.970), (2, 0.971), (3, 0.969)):
        results.append(trained([0.5, 0.97, 0.972, last], workload=ADAM, block=block))
        results.append(trained([0.9, 0.90, 0.960, last - 0.01 * block], workload=SGD, block=block))
    frame = ledger(results)
    epochs = of(frame, "from epoch to epoch")
    assert epochs["value"] < 0.1 and epochs["verdict"].startswith("not tested: trained for 4 of 10")
    assert of(frame, "from seed to seed")["value"] == pytest.approx(0.001 / 0.0085, rel=0.2)
    long = [replace(r, cell=replace(r.cell, epochs=10)) for r in results]
    assert of(ledger(long), "from epoch to epoch")["verdict"] == "confirmed"


def test_a_network_that_goes_on_learning_is_not_unsteady_for_that() -> None:
    """A steady rise counts for nothing; ups and downs around it do, and as much as without it."""
    rise = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96]
    zigzag = [y + (0.001 if i % 2 else -0.001) for i, y in enumerate(rise)]
    level = [0.97 + (0.001 if i % 2 else -0.001) for i in range(len(rise))]
    rows = report_runs.epochs_frame(
        [trained([0.5, *line], block=block) for block, line in enumerate((rise, zigzag, level), 1)]
    )
    steady, rough, flat = decisions.variation(rows)
    assert steady == pytest.approx(0.0, abs=1e-12)
    assert rough == pytest.approx(flat) and rough > 0.001


def test_claims_that_nothing_decides_say_why() -> None:
    """Every claim of every document has a row, whatever was measured."""
    frame = ledger(clear())
    assert set(frame["says"]) == set(ledger([result("null")])["says"])
    assert (
        of(frame, "with convolutions 99 %")["verdict"]
        == "not tested: no convolutional network as a tutorial writes it was run"
    )
    assert "mlp-128-256" in of(frame, "from seed to seed")["verdict"]


def test_what_failed_is_no_evidence_and_its_reason_is_told() -> None:
    """Neither the control nor what did not finish."""
    results = [
        result("documented-keras", status="failed", reason="out of memory"),
        result("documented-pytorch", epochs=5),
        result("documented-pytorch", role="control", epoch_s=45.0, epochs=5),
    ]
    frame = ledger(results)
    assert of(frame, "TensorFlow takes about 50 s")["verdict"] == "not tested: out of memory"
    assert of(frame, "PyTorch takes about 45 s")["value"] == pytest.approx(1.0)


def test_the_table_for_people_names_value_interval_and_place() -> None:
    """What was not measured comes last; every row that was leads to its group."""
    sheet = tables.ledger(ledger(clear(epochs=5)))
    first = sheet.rows[0]
    assert first[0].startswith("PyTorch takes about 45 s for an epoch\nRecognising handwritten digits")
    assert first[1].splitlines() == ["PyTorch (documented)", "mlp-128-64, CPU, 2 threads"]
    assert first[3].splitlines() == ["9.87 s", "95 %: 9.49 to 10.25, 3 blocks"] or first[3].startswith("9.87 s")
    assert sheet.links[0] == "#mlp-128-64.cpu.2t" and sheet.links[-1] == ""
    assert sheet.rows[-1][2].startswith("not tested") and len(sheet.links) == len(sheet.rows)


def test_a_sentence_counts_the_verdicts() -> None:
    """A claim counts once, whatever number of programs it is about."""
    frame = ledger(clear(epochs=5))
    said = scorecard.summary(frame)
    assert said.startswith(f"The tutorials make {frame['says'].nunique()} claims that a program can test: ")
    assert "refuted" in said and "of other hardware" in said and "not tested" in said


def test_the_scorecard_has_one_row_for_each_claim() -> None:
    """One program with its interval, two by their names, many by their range; where they differ, how many said what."""
    networks = [*list(tutorials.networks().values())[:3]]
    results = [
        result(name, workload=network, accuracy=0.97 + 0.01 * number, epochs=10, block=block)
        for number, network in enumerate(networks)
        for name in ("documented-pytorch", "documented-keras")
        for block in (1, 2, 3)
    ]
    sheet = scorecard.scorecard(ledger(results))
    rows = {row[1]: row for row in sheet.rows}
    assert len(rows) == len(sheet.rows) == len(sheet.links)
    one = rows["PyTorch takes about 45 s for an epoch"]
    assert one[0].startswith("Recognising handwritten digits") and one[2] == "other hardware"
    assert one[3].splitlines()[0] == "1.00 s"
    dense = rows["without convolutions at most about 97 %"]
    assert dense[2] == "2 confirmed and 4 refuted" and dense[3] == "97.00 % to 99.00 %\n6 programs"
    two = scorecard.scorecard(ledger(results[:6]))
    dense = next(row for row in two.rows if row[1] == "without convolutions at most about 97 %")
    assert dense[3].splitlines() == ["PyTorch: 97.00 %", "Keras on TensorFlow: 97.00 %"]


def test_other_data_decides_nothing() -> None:
    """The documents speak of MNIST; data that is not known, as in older results, is taken for it."""
    frame = ledger([result("documented-pytorch", data="fashion"), result("documented-keras", data="fashion")])
    assert set(in_words(frame)["verdict"]) == {"not tested: trained on other data than MNIST"}
    assert (
        of(ledger([result("documented-pytorch", data=claims_ledger.MNIST)]), "PyTorch takes about 45 s")["blocks"] == 1
    )
