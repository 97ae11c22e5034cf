"""Tutorial 1's performance table: claim beside measured, and why there is no figure."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from synthetic import MACHINE, OTHER_WORKLOAD, clear, result, runs, session

from bench.report import runs as report_runs
from bench.report.chapters.claims import table_4

MACHINES = report_runs.machines_frame([MACHINE])


def row_of_table_4(frame: pd.DataFrame, machines: pd.DataFrame = MACHINES, **which: str) -> dict[str, Any]:
    """The one row for a framework, quantity and device."""
    usual = {"tier": "matched", "framework": "pytorch", "quantity": "epoch_s", "device": "cpu"}
    table = table_4.in_words(table_4.table_4(frame, machines))
    for column, value in (usual | which).items():
        table = table[table[column] == value]
    (row,) = table.to_dict("records")
    return row


@pytest.mark.parametrize(
    ("framework", "quantity", "low", "high"),
    [
        ("pytorch", "epoch_s", 45, 45),
        ("keras", "epoch_s", 50, 50),
        ("pytorch", "memory_bytes", 800e6, 800e6),
        ("keras", "memory_bytes", 1e9, 1e9),
        ("pytorch", "accuracy", 0.978, 0.982),
        ("keras", "accuracy", 0.975, 0.980),
    ],
)
def test_table_4_puts_the_documents_claims_beside_the_figures(
    framework: str, quantity: str, low: float, high: float
) -> None:
    """The six claims of document 1, for its network on a CPU and for no other."""
    frame = runs(clear())
    row = row_of_table_4(frame, framework=framework, quantity=quantity)
    assert (row["claim_low"], row["claim_high"]) == (low, high)
    assert pd.isna(row_of_table_4(frame, framework=framework, quantity=quantity, device="cuda")["claim_low"])
    other = report_runs.runs_frame(clear(workload=OTHER_WORKLOAD), [])
    assert table_4.table_4(other, MACHINES)["claim_low"].isna().all()


def test_table_4_has_mean_and_range_over_processes() -> None:
    """Of each quantity, geometric but for accuracies; how many processes and epochs that was."""
    row = row_of_table_4(runs(session({"matched-pytorch": [1.0, 4.0, 2.0]}, control=[9.0])))
    assert (row["low"], row["value"], row["high"], row["processes"], row["epochs"]) == (1.0, 2.0, 4.0, 3, 3)
    found = [result(block=block, accuracy=share) for block, share in ((1, 0.9), (2, 0.96), (3, 0.99))]
    assert row_of_table_4(runs(found), quantity="accuracy")["value"] == pytest.approx(0.95)
    row = row_of_table_4(runs([result()]), quantity="memory_bytes")
    assert row["value"] == 760_000_000


def test_table_4_always_has_a_column_for_cuda() -> None:
    """Without a device it says so, and there is no figure: never a guess."""
    row = row_of_table_4(runs(clear()), device="cuda")
    assert row["why"] == "not tested: no CUDA device"
    assert pd.isna(row["value"]) and row["processes"] == 0


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ({"device": "cuda", "status": "skipped", "reason": "PyTorch sees no GPU"}, "not tested: PyTorch sees no GPU"),
        ({"device": "cuda", "epochs": 1}, "not tested: needs at least 2 epochs"),
        ({}, "not tested: no run on CUDA"),
    ],
)
def test_table_4_says_why_a_figure_is_missing(there: dict[str, Any], why: str) -> None:
    """What the cell says, that one epoch is not enough, or that nobody asked; here on a machine with a GPU."""
    with_gpu = report_runs.machines_frame([replace(MACHINE, gpus="Some GPU")])
    assert row_of_table_4(runs([result(**there)]), with_gpu, device="cuda")["why"] == why


def test_table_4_withholds_the_figures_of_other_work() -> None:
    """And says that this is the reason."""
    row = row_of_table_4(runs([result()], "matched-pytorch"))
    assert pd.isna(row["value"]) and "same work" in row["why"]


def test_table_4_is_of_the_two_frameworks_of_the_document() -> None:
    """Others and plugins have tables of their own."""
    frame = runs([*clear(), result("tuned-jax"), result("mine")])
    assert set(table_4.table_4(frame, MACHINES)["framework"]) == {"pytorch", "keras"}
    assert table_4.table_4(runs([result("mine")]), MACHINES).empty


def test_keras_on_another_backend_is_no_column_of_table_4() -> None:
    """The document's table is about Keras on TensorFlow: another backend's figures must not enter its median."""
    results = session({"matched-keras": [2.0], "matched-keras-jax": [9.0]})
    frame = table_4.table_4(report_runs.runs_frame(results, []), report_runs.machines_frame([]))
    times = frame[(frame["quantity"] == "epoch_s") & (frame["device"] == "cpu")]
    assert list(times["value"]) == [2.0]
