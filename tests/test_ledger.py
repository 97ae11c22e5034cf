"""The documents' claims about accuracies, beside what was measured."""

from typing import Any

import pytest
from synthetic import clear, result

from bench import ledger, sheets, tables, words, workloads
from bench.records import Result

CNN = workloads.load()["cnn-32-64"]


def frame(results: list[Result]) -> Any:
    return ledger.accuracies(tables.runs(results, []), tables.epochs(results), results)


def claims(results: list[Result], implementation: str) -> list[tuple[int, str]]:
    rows = frame(results)
    own = rows[rows["implementation"] == implementation]
    return [
        (row["document"], words.claimed("accuracy", row["claim_low"], row["claim_high"])) for _, row in own.iterrows()
    ]


def test_a_dense_network_is_held_to_what_is_said_of_dense_ones() -> None:
    """And of all before training, and of this network in this framework."""
    assert claims(clear(), "matched-keras") == [
        (3, "about 10 %"), (4, "at most about 97 %"), (1, "97.5–98.0 %"),
    ]  # fmt: skip


def test_a_convolutional_network_is_held_to_what_is_said_of_those() -> None:
    """Document 4 says 99 %, and says it of no framework in particular."""
    assert claims([result(workload=CNN)], "matched-pytorch") == [(3, "about 10 %"), (4, "about 99 %")]


def test_keras_on_another_backend_is_not_what_document_1_speaks_of() -> None:
    """Only what is said of all frameworks holds for it."""
    assert [document for document, _ in claims([result("matched-keras-jax")], "matched-keras-jax")] == [3, 4]


def test_values_are_those_of_the_moment_that_the_claim_is_about() -> None:
    """Before training from epoch 0, at the end from the last epoch; median and range over processes."""
    results = [result(accuracy=accuracy, block=block) for block, accuracy in enumerate((0.97, 0.98, 0.975), start=1)]
    rows = frame(results).set_index("document")
    assert rows.loc[3, ["value", "low", "high"]].tolist() == [0.1, 0.1, 0.1]
    assert rows.loc[4, ["value", "low", "high", "processes"]].tolist() == pytest.approx([0.975, 0.97, 0.98, 3])


def test_a_control_and_a_failed_cell_are_no_evidence() -> None:
    """Only what was measured, finished and did the work."""
    rows = frame([result(), result(role="control", accuracy=0.5), result(block=2, status="failed")])
    assert set(rows["processes"]) == {1}


@pytest.mark.parametrize(
    ("low", "high", "value", "verdict"),
    [
        (0.99, 0.99, 0.9879, "as claimed"),
        (0.99, 0.99, 0.9849, "0.51 points below the claim"),
        (0.0, 0.97, 0.9749, "as claimed"),
        (0.0, 0.97, 0.976, "0.60 points above the claim"),
        (0.978, 0.982, 0.978, "within the claim"),
        (0.978, 0.982, 0.9763, "0.17 points below the claim"),
        (0.1, 0.1, 0.137, "at chance, as claimed"),
        (0.1, 0.1, 0.25, "above chance"),
    ],
)
def test_a_verdict_on_an_accuracy(low: float, high: float, value: float, verdict: str) -> None:
    """An "about" is met by what rounds to it, a range by what lies in it."""
    assert words.beside_claim("accuracy", value, low, high) == verdict


def test_the_sheet_says_how_long_was_trained() -> None:
    """Fewer epochs than the document's must show beside its claim."""
    sheet = sheets.accuracies(frame([result(epochs=3)]))
    assert [row[2] for row in sheet.rows] == ["before training", "after 3 of 5 epochs", "after 3 of 5 epochs"]
