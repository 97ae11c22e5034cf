"""What records refuse: values that nothing can have measured, by whoever makes or reads them."""

import math
from dataclasses import replace
from typing import Any

import pytest
from synthetic import MACHINE, WORKLOAD, result

from bench.store.records.breakdown import Breakdown
from bench.store.records.export import Export
from bench.store.records.floor import Part
from bench.store.records.machine import Size
from bench.store.records.probe import Mode, Probe
from bench.store.records.sweep import SweepPoint
from bench.store.records.training import Epoch, Evaluation, Inference, Predicted
from bench.store.records.verification import Check, Verification

NOW = "2026-01-01T00:00:00.000+00:00"
EPOCH = Epoch(1, 1.0, 1.9, 0.2, 0.3, 0.25, 0.97)
EVALUATION = Evaluation(1, 100, 0.3, 0.9, 0.3, 0.9)
INFERENCE = Inference(1, 0.1, (0.1,))
PART = Part("products", 10, 937.5, 1000, (0.1,))
POINT = SweepPoint(64, 128, 1000, 1000, 640, 10, seconds=(0.1,))
MODE = Mode("eager", 50, 0, (50,), 50, 50, 50, ("Tensor",), epoch_s=(0.1,))
PROBE = Probe("pytorch", "net", 2, "d", NOW, "m", "ok", "")
BREAKDOWN = Breakdown("documented-pytorch", "documented", "pytorch", "net", "cpu", 2, "d", NOW, "m", "ok", "")
VERIFICATION = Verification("matched-pytorch", "net", "cpu", "d", "passed", "", seed=1, threads=2)
EXPORT = Export("onnx", "pytorch", "ok", size_bytes=1000, images=100, agree=100, largest_difference=1e-6, limit=1e-5)
SIZE = Size(2, 3, 0.02, "a / b", 12.0, "2%")
RESULT = result()


@pytest.mark.parametrize(
    ("record", "changes", "expected"),
    [
        (EPOCH, {"train_s": 0.0}, "train_s is 0.0, expected a number above 0"),
        (EPOCH, {"train_s": 1e10}, "at most 1e\\+09"),
        (EPOCH, {"predict_s": -0.1}, "predict_s is -0.1, expected a number of 0 or more"),
        (EPOCH, {"accuracy": 1.01}, "accuracy is 1.01, expected a share from 0 to 1"),
        (EPOCH, {"accuracy": math.nan}, "accuracy is nan"),
        (EPOCH, {"test_loss": math.inf}, "test_loss is inf, expected a finite number"),
        (EPOCH, {"epoch": -1}, "epoch is -1"),
        (EPOCH, {"readings": {"train_energy_j": "much"}}, "readings.train_energy_j is 'much', expected a number"),
        (EVALUATION, {"validation_accuracy": -0.1}, "validation_accuracy"),
        (EVALUATION, {"batches": -1}, "batches"),
        (INFERENCE, {"images": 0}, "images is 0"),
        (INFERENCE, {"seconds": (0.1, math.inf)}, "seconds is inf"),
        (PART, {"seconds": (0.0,)}, "seconds is 0.0"),
        (PART, {"flops": -1}, "flops"),
        (PART, {"epoch_steps": 0.0}, "epoch_steps"),
        (POINT, {"steps": 0}, "steps"),
        (POINT, {"flops": 2**63}, "less than 2\\^63"),
        (MODE, {"calls": (50, -1)}, "calls"),
        (MODE, {"epoch_s": (-1.0,)}, "epoch_s"),
        (PROBE, {"framework": "../x"}, "framework is '../x', expected letters"),
        (PROBE, {"started": "yesterday"}, "started is 'yesterday', expected date and time"),
        (BREAKDOWN, {"passes": {"loop": (0.1, -0.1)}}, "passes is -0.1"),
        (BREAKDOWN, {"device": "cpu/x"}, "device"),
        (VERIFICATION, {"workload": "/x"}, "workload"),
        (VERIFICATION, {"threads": 0}, "threads"),
        (Check("logits", 0.1, 0.2, True, ""), {"limit": math.inf}, "limit is inf"),
        (EXPORT, {"by": ".x"}, "by is '.x'"),
        (EXPORT, {"size_bytes": -1}, "size_bytes"),
        (SIZE, {"blocks": 0}, "blocks"),
        (MACHINE, {"machine": "a/b"}, "machine is 'a/b'"),
        (MACHINE, {"ram_bytes": 2**63}, "ram_bytes"),
        (Predicted("123"), {"digits": "1 3"}, "digits"),
        (WORKLOAD, {"name": "../x"}, "name is '../x'"),
        (WORKLOAD, {"name": "ä" * 41}, "at most 80 bytes"),
        (RESULT.cell, {"block": 0}, "block is 0"),
        (RESULT.cell, {"threads": 2**63}, "threads"),
        (RESULT.cell, {"digest": "a.b"}, "no dot"),
        (RESULT.phases, {"import_s": -1.0}, "import_s"),
        (RESULT, {"readings": {"steal_s": -1.0}}, "readings.steal_s is -1.0, expected a number from 0"),
        (RESULT, {"readings": {"process_peak_bytes": 2**63}}, "readings.process_peak_bytes"),
        (RESULT, {"readings": {"peak_source": 1}}, "readings.peak_source is 1, expected a word"),
        (RESULT, {"switches": {"adam": ["pytorch"]}}, "switches.adam"),
        (RESULT, {"switches": {"threads": [2]}}, "switches.threads"),
        (RESULT, {"commit": {"time": NOW}}, "commit is"),
        (RESULT, {"commit": {"id": 7, "time": NOW}}, "commit.id is 7"),
        (RESULT, {"predicted": "12x"}, "predicted is 'x', expected a digit"),
        (RESULT, {"model": "../../x"}, "model is '../../x', expected 64 hexadecimal digits"),
        (RESULT, {"epochs": (EPOCH, EPOCH)}, "epochs is \\[1, 1\\], expected each once"),
        (RESULT, {"attempt": 0}, "attempt"),
    ],
)
def test_a_value_that_nothing_can_have_measured_is_refused(record: Any, changes: dict[str, Any], expected: str) -> None:
    """With the field, its value and what was expected."""
    with pytest.raises(ValueError, match=expected):
        replace(record, **changes)


def test_a_program_may_declare_what_it_likes_besides() -> None:
    """Switches that nothing is compared by have any shape that JSON has."""
    assert replace(RESULT, switches={"graphs": {"captured": [1, None, True]}, "adam": ["keras", 1e-7]})


def test_the_epochs_of_a_failed_cell_are_kept_as_they_came() -> None:
    """They may be what it failed for."""
    assert replace(RESULT, status="failed", epochs=(EPOCH, EPOCH)).epochs
