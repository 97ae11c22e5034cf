"""Rows and columns of the CSVs, and the tables that are derived from them, on sessions made by hand."""

import csv
import io
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pandas as pd
import pytest
from scipy import stats
from synthetic import MACHINE, OTHER_WORKLOAD, result, runs, session

from bench.machine.meters import METERS, quantities
from bench.report import pairs
from bench.report import runs as report_runs
from bench.report.chapters import cost
from bench.report.chapters.conditions import checks
from bench.store.records.training import Epoch, Evaluation, Inference, TrainingResult
from bench.store.records.verification import Check, Verification

IDENTITY = ["cell", "implementation", "tier", "framework", "workload", "device", "threads", "block", "role"]
INFERENCE = ["predict_image_s", "predict_batch_s", "predict_image_first_s"]


def timed(seconds: Sequence[float], **changes: Any) -> TrainingResult:
    """A result whose epochs took these seconds, at 1.5 CPUs, with a prediction of a tenth of it."""
    rows = [Epoch(0, None, None, 9.0, None, 2.3, 0.1)]
    rows += [Epoch(i, s, 1.5 * s, s / 10, 1 / i, 0.5 / i, 1 - 0.1 / i) for i, s in enumerate(seconds, start=1)]
    return replace(result(**changes), epochs=tuple(rows))


def as_csv(frame: pd.DataFrame) -> list[dict[str, str]]:
    """What stands in the file, as text."""
    return list(csv.DictReader(io.StringIO(frame.to_csv(index=False))))


def test_a_row_of_runs_begins_with_its_cell() -> None:
    """The columns that both files share, then status and reason, then everything that a record holds."""
    columns = list(runs([result()]).columns)
    assert columns[:9] == IDENTITY
    assert columns[9:11] == ["status", "reason"]
    wanted = {"import_s", "build_s", "load_s", "process_s", "first_epoch_s", "epoch_s", "predict_s", "accuracy",
              "test_loss", "epochs", "seed", "machine", "versions", "switches"}  # fmt: skip
    wanted |= {quantity.name for quantity in quantities(METERS)}
    assert wanted <= set(columns)
    assert len(set(columns)) == len(columns)


def test_a_row_of_epochs_begins_with_its_cell() -> None:
    """The same nine columns, then the epoch and its figures."""
    columns = list(report_runs.epochs_frame([result()]).columns)
    assert columns[:9] == IDENTITY
    figures = ["epoch", "train_s", "predict_s", "train_loss", "test_loss", "accuracy"]
    assert [name for name in columns[9:] if name in figures] == figures


def waiting(*epochs: tuple[float | None, float | None], **changes: Any) -> TrainingResult:
    """A result whose epochs took these seconds by the clock, and of CPU time."""
    rows = [Epoch(i, wall_s, cpu_s, 0.1, 1.0, 1.0, 0.5) for i, (wall_s, cpu_s) in enumerate(epochs)]
    return replace(result(**changes), epochs=tuple(rows))


def test_a_process_was_idle_for_as_long_as_its_cpu_time_leaves_open() -> None:
    """Epoch by epoch, never less than 0; the first epoch is in no mean, and several threads hide it."""
    found = waiting((None, None), (9.0, 1.0), (5.0, 3.0), (2.0, 3.5), (3.0, 2.0))
    assert [row["idle_s"] for row in as_csv(report_runs.epochs_frame([found]))] == ["", "8.0", "2.0", "0.0", "1.0"]
    assert runs([found])["idle_s"].tolist() == [1.0]
    assert pairs.summary_frame(runs([found, replace(found, cell=replace(found.cell, block=2))]))["idle_s"].tolist() == [
        1.0
    ]


def test_where_nothing_is_known_of_the_cpu_there_is_no_idle_time() -> None:
    """On a GPU, which computes while the CPU sleeps; where no CPU time was kept; with the first epoch alone."""
    for found in (
        waiting((None, None), (5.0, 1.0), (5.0, 1.0), device="cuda"),
        waiting((None, None), (5.0, None), (5.0, None)),
        waiting((None, None), (5.0, 1.0)),
    ):
        assert as_csv(runs([found]))[0]["idle_s"] == ""


def test_both_files_name_a_cell_alike() -> None:
    """Either stands alone, and they can be joined."""
    results = [result(), result(role="control"), result("matched-keras", block=2, device="cuda", threads=4)]
    per_cell, per_epoch = (
        runs(results)[IDENTITY],
        report_runs.epochs_frame(results)[IDENTITY].drop_duplicates(ignore_index=True),
    )
    pd.testing.assert_frame_equal(per_cell, per_epoch)
    assert list(per_cell.loc[2]) == [
        results[2].cell.key, "matched-keras", "matched", "keras", "mlp-128-64", "cuda", 4, 2, "measured",
    ]  # fmt: skip


def test_there_is_a_row_for_every_epoch_and_one_before_training() -> None:
    """Epoch 0 has a prediction and no training; its empty fields are empty, not 0."""
    rows = as_csv(report_runs.epochs_frame([timed([3.0, 1.0])]))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert (rows[0]["train_s"], rows[0]["train_loss"], rows[0]["accuracy"]) == ("", "", "0.1")
    assert (rows[1]["train_s"], rows[1]["predict_s"], rows[2]["train_loss"]) == ("3.0", "0.3", "0.5")


def test_the_first_epoch_stands_apart_and_the_others_give_their_geometric_mean() -> None:
    """Nothing is dropped from the others, and the slow first one has no part in it."""
    (row,) = as_csv(runs([timed([30.0, 1.0, 5.0, 2.0])]))
    assert row["first_epoch_s"] == "30.0" and float(row["epoch_s"]) == pytest.approx(stats.gmean([1.0, 5.0, 2.0]))


def test_accuracy_and_loss_are_those_of_the_trained_network() -> None:
    """After as many epochs as the cell was to train; those that follow are for their times alone."""
    row = runs([timed([3.0, 1.0, 1.0, 1.0], epochs=4)]).iloc[0]
    assert (row["accuracy"], row["test_loss"]) == (0.975, 0.125)
    row = runs([timed([3.0, 1.0, 4.0, 2.0], epochs=2)]).iloc[0]
    assert (row["accuracy"], row["test_loss"]) == (0.95, 0.25) and row["epoch_s"] == pytest.approx(2.0)


def test_prediction_is_the_geometric_mean_after_training() -> None:
    """The prediction before training, the first of the process, is not among them."""
    assert runs([timed([30.0, 10.0, 20.0])]).iloc[0]["predict_s"] == pytest.approx(stats.gmean([3.0, 1.0, 2.0]))


def test_predictions_of_one_image_and_of_one_batch_are_medians_of_their_calls() -> None:
    """The first call with one image stands apart; other numbers of images are neither."""
    calls = (Inference(1, 0.9, (0.1, 0.4, 0.2)), Inference(7, 0.9, (7.0,)), Inference(1000, 0.9, (3.0, 1.0)))
    row = runs([result(inference=calls)]).iloc[0]
    assert [row[name] for name in INFERENCE] == [0.2, 2.0, 0.9]
    (missing,) = as_csv(runs([result(inference=(Inference(1, 0.0, (0.0,)),))]))
    assert (missing["predict_image_s"], missing["predict_batch_s"], missing["predict_image_call"]) == ("", "", "")
    assert runs([result(inference=(Inference(1, 0.9, (0.1,), "model(x)"),))])["predict_image_call"].tolist() == [
        "model(x)"
    ]


def test_cpus_in_use_are_those_of_the_steady_epochs() -> None:
    """CPU time over wall time: the claim of a number of threads can be checked."""
    assert runs([timed([3.0, 1.0, 2.0])]).iloc[0]["cpu_per_wall"] == 1.5


@pytest.mark.parametrize(("seconds", "told"), [(0.9, None), (1.0, 125.0)])
def test_energy_is_the_mean_of_the_steady_epochs_where_they_last_long_enough_for_the_counter(
    seconds: float, told: float | None
) -> None:
    """A median would be one of the counter's steps, and an epoch shorter than a step draws nothing or too much."""
    epochs = [Epoch(0, None, None, 0.1, None, 2.3, 0.1)]
    epochs += [
        Epoch(n, seconds, 1.0, 0.1, 0.1, 0.2, 0.9, {"train_energy_j": joules})
        for n, joules in enumerate((900.0, 100.0, 150.0), 1)
    ]
    assert report_runs.run_row(replace(result("matched-a", 1), epochs=tuple(epochs)))["train_energy_j"] == told
    unknown = tuple(replace(epoch, readings={}) for epoch in epochs)
    assert report_runs.run_row(replace(result("matched-a", 1), epochs=unknown))["train_energy_j"] is None


def test_memory_for_training_is_told_over_what_was_loaded() -> None:
    """The training peak less what was resident before it."""
    readings = {"after_load_rss_bytes": 700, "training_peak_bytes": 760}
    assert runs([result(readings=readings)]).iloc[0]["training_over_load_bytes"] == 60


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_what_was_not_measured_is_empty(status: str) -> None:
    """No 0, no NaN and no None in the file, whether alone or beside a cell that has the figures."""
    missing = result("matched-keras", status=status, reason="no such device", readings={})
    for results in ([missing], [missing, result()]):
        row = as_csv(runs(results))[0]
        assert (row["status"], row["reason"]) == (status, "no such device")
        named = {
            *IDENTITY,
            "status",
            "reason",
            "gate",
            "attested",
            "attested_reason",
            "epochs",
            "seed",
            "machine",
            "started",
            "versions",
            "switches",
            "attempt",
            "harness",
        }
        assert {value for name, value in row.items() if name not in named} == {""}
    assert as_csv(report_runs.epochs_frame([missing])) == []


def test_a_single_epoch_has_no_steady_time() -> None:
    """It is the first one, with tracing and compiling in it, and is not taken for more."""
    frame = runs([timed([3.0])])
    (row,) = as_csv(frame)
    assert (row["first_epoch_s"], row["epoch_s"], row["cpu_per_wall"]) == ("3.0", "", "")
    assert pairs.comparison(frame).empty
    assert pairs.summary_frame(frame)["epoch_s"].isna().all()


def test_the_tables_of_a_session_without_a_finished_cell_are_empty() -> None:
    """There is nothing to summarise or compare, and no error."""
    frame = runs([result(status="failed"), result("matched-keras", status="skipped")])
    for derive in (pairs.summary_frame, pairs.control, pairs.comparison, cost.break_even_frame):
        assert derive(frame).empty


def test_the_summary_has_geometric_mean_and_range_over_processes() -> None:
    """One row for an implementation; the control, failures and withheld ones are not in it."""
    results = session(
        {"matched-pytorch": [1.0, 4.0, 2.0], "matched-keras": [3.0, 3.0, 9.0]}, control=[50.0, 50.0, 50.0]
    )
    results.append(result("tuned-jax", status="failed"))
    table = pairs.summary_frame(runs([*results, result("tuned-wrong", epoch_s=0.1)], "tuned-wrong"))
    assert list(table["implementation"]) == ["matched-pytorch", "matched-keras"]  # the fastest first
    assert list(table["processes"]) == [3, 3]
    row = table.iloc[0]
    assert (row["epoch_s_low"], row["epoch_s_high"]) == (1.0, 4.0)
    assert (row["epoch_s"], row["first_epoch_s"]) == (pytest.approx(2.0), pytest.approx(3.0))


def test_what_differs_in_network_device_or_threads_is_not_mixed() -> None:
    """A row for each; no ratio across them."""
    results = [
        result(name, block, seconds, **where)
        for where in ({}, {"device": "cuda"}, {"threads": 1}, {"workload": OTHER_WORKLOAD})
        for name, seconds in (("matched-pytorch", 1.0), ("matched-keras", 2.0))
        for block in (1, 2)
    ]
    frame = report_runs.runs_frame(results, [])
    assert len(pairs.summary_frame(frame)) == 8
    table = pairs.comparison(frame)
    table = table[table["compared"] == "epoch_s"]
    assert len(table) == 4
    assert set(table["estimate"].round(9)) == {2.0}


def test_whoever_fails_the_gate_gets_no_speed() -> None:
    """The times are withheld, the accuracy is not; in the epochs' file the raw values stay."""
    calls = (Inference(1, 0.9, (0.1,)), Inference(1000, 0.9, (3.0,)))
    results = [result(inference=calls), result("matched-keras", inference=calls)]
    frame = runs(results, "matched-keras").set_index("implementation")
    speeds = ["first_epoch_s", "epoch_s", "predict_s", *INFERENCE]
    assert frame.loc["matched-keras", speeds].isna().all() and frame.loc["matched-pytorch", speeds].notna().all()
    assert list(frame["gate"]) == ["passed", "failed"]
    assert frame.loc["matched-keras", "accuracy"] == 0.97
    assert report_runs.epochs_frame(results)["train_s"].notna().sum() == 6


def test_a_gate_that_was_not_asked_says_nothing() -> None:
    """The column is empty, and nothing is withheld."""
    (row,) = as_csv(report_runs.runs_frame([result()], []))
    assert row["gate"] == "" and row["epoch_s"] == "1.0"


def test_the_gates_table_has_a_row_for_each_rung_and_for_each_end() -> None:
    """Figures and limits as they were; one that ended before or between rungs says why."""
    rungs = (Check("weights", None, None, True, ""), Check("logits", 0.5, 0.1, False, ""))
    gates = [
        Verification("matched-keras", "mlp-128-64", "cpu", "d", "failed", "logits: off", rungs),
        Verification("tuned-jax", "mlp-128-64", "cpu", "d", "skipped", "jax is not installed"),
        Verification("tuned-wrong", "mlp-128-64", "cpu", "d", "failed", "RuntimeError: no", rungs[:1]),
    ]
    table = checks.checks_frame(gates)
    assert list(table["rung"]) == ["weights", "logits", "ended", "weights", "ended"]
    assert (table.loc[1, "figure"], table.loc[1, "limit"]) == (0.5, 0.1)
    assert not table.loc[1, "passed"]
    assert table.loc[2, "note"] == "skipped: jax is not installed"
    assert table.loc[4, "note"] == "failed: RuntimeError: no"


def test_machines_have_a_row_each() -> None:
    """With every field of the description."""
    table = report_runs.machines_frame([MACHINE, replace(MACHINE, machine="other")])
    assert list(table["machine"]) == [MACHINE.machine, "other"]
    assert set(table.columns) == {field.name for field in fields(MACHINE)}


def test_curves_have_a_row_for_each_evaluation() -> None:
    """They name their cell as the other CSVs do; without images held out there are none."""
    rows = (Evaluation(0, 0, None, 0.1, 2.3, 0.1), Evaluation(1, 300, 0.5, 0.9, 0.4, 0.88))
    frame = report_runs.curves_frame([result(evaluations=rows), result("matched-keras")])
    assert list(frame.columns[: len(report_runs.IDENTITY)]) == report_runs.IDENTITY
    assert list(frame["batches"]) == [0, 300]
    assert frame["train_loss"].isna().tolist() == [True, False]
