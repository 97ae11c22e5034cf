"""What a report says about the terms of a comparison: read from the programs, and what differs is marked."""

from dataclasses import replace
from typing import Any

from synthetic import result

from bench.report.chapters.conditions import checks, settings
from bench.store.records.training import Epoch, TrainingResult

TOLD = {"takes_order": True, "adam": ["pytorch", 1e-8], "adam_epsilon": 1e-8, "precision": "float32", "tf32": False,
        "threads": 2, "compile": "no", "data": "tensors on cpu", "last_batch": "used"}  # fmt: skip


def told(name: str, **changes: Any) -> TrainingResult:
    return result(name, switches=TOLD | changes)


def row(results: list[TrainingResult], name: str) -> tuple[str, ...]:
    return next(row[1:] for row in settings.fairness(results).rows if row[0] == name)


def test_each_implementation_is_a_column() -> None:
    """In the order of all tables, the control not among them."""
    results = [told("matched-keras"), told("matched-pytorch"), result("matched-pytorch", role="control")]
    assert settings.fairness(results).columns == ("", "", "PyTorch (matched)", "Keras on TensorFlow (matched)")


def test_what_differs_is_marked() -> None:
    """And only that: equal terms stand there unmarked."""
    results = [told("matched-pytorch"), told("matched-keras", compile="traced")]
    assert row(results, "compilation") == ("differs", "no", "traced")
    assert row(results, "precision") == ("", "float32", "float32")


def test_the_form_of_adam_has_the_writers_name_and_the_epsilon() -> None:
    """As declared, and what the program says where it says something else."""
    results = [told("matched-pytorch"), told("matched-keras", adam=["keras", 1e-7], adam_epsilon=1e-6)]
    _, ours, theirs = row(results, "Adam")
    assert ours == "as PyTorch writes it, epsilon 1e-08"
    assert theirs == "as Keras writes it, epsilon 1e-07, the program says 1e-06"


def test_who_draws_weights_and_order_is_said() -> None:
    """The harness for those that take them, else the program's own initialiser and shuffling."""
    own = told("documented-keras", takes_order=False, initialiser="GlorotUniform, bias Zeros")
    results = [told("matched-keras"), own]
    assert row(results, "start weights") == ("differs", "GlorotUniform, bias Zeros", "given by the harness")
    assert row(results, "batch order") == ("differs", "its own, new in every epoch", "given by the harness")


def test_what_a_program_does_not_tell_is_missing() -> None:
    """Results of an older version have a dash, never a guess."""
    assert row([result("matched-pytorch")], "precision") == ("", "–")


def test_values_that_change_from_cell_to_cell_stand_side_by_side() -> None:
    """Two thread counts in one session are both shown."""
    results = [told("matched-pytorch"), replace(told("matched-pytorch"), cell=replace(told("x").cell, threads=1))]
    assert row([results[0], told("matched-pytorch", threads=1)], "threads in the framework") == ("", "2 / 1")


def losing(name: str, loss: float, block: int = 1, **changes: Any) -> TrainingResult:
    epochs = (Epoch(0, None, None, 0.2, None, 2.3, 0.1), Epoch(1, 1.0, 1.0, 0.2, loss, 0.2, 0.9))
    return replace(told(name), cell=result(name, block=block, **changes).cell, epochs=epochs)


def test_first_epochs_on_the_whole_set_are_compared_with_the_controls_program() -> None:
    """The farthest of all blocks is shown, block by block, for the control too."""
    results = [
        losing("matched-pytorch", 0.30), losing("matched-pytorch", 0.30, role="control"), losing("matched-keras", 0.303),
        losing("matched-pytorch", 0.40, 2), losing("matched-keras", 0.4004, 2),
    ]  # fmt: skip
    found = {row[2]: row[3:] for row in checks.agreement_table(results).rows}
    assert found == {
        "matched-keras": ("0.3517", "1.000 %", "2"), "matched-pytorch (control)": ("0.3000", "0.000 %", "1"),
    }  # fmt: skip


def test_programs_that_shuffle_by_themselves_are_not_compared() -> None:
    """They started elsewhere and saw other batches."""
    own = replace(losing("documented-pytorch", 0.4), switches=TOLD | {"takes_order": False})
    control = losing("matched-pytorch", 0.3, role="control")
    assert [row[2] for row in checks.agreement_table([losing("matched-pytorch", 0.3), control, own]).rows] == [
        "matched-pytorch (control)"
    ]
