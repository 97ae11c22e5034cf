"""TF32 as an axis of its own: how it is asked for, what it means in numbers, and a gate that knows it from mistakes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import mnist
from bench.errors import FcnBenchError
from bench.machine import gpu
from bench.session.choice import chosen_entries, to_verify
from bench.session.devices import in_tf32_too
from bench.store.records.verification import Check
from bench.verification import checks
from bench.verification.candidate import Candidate
from impls import environment
from impls.oracle import layers, training
from impls.oracle.training import Implementation
from impls.registry import Entry
from impls.workload import Adam, Dense, Workload

NET = Workload("net", 0, (Dense(32, "relu"), Dense(10)), 0.1307, 0.3081, 16, 50, 2, Adam(1e-3))


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1.0, 1.0),
        (1 + 2**-10, 1 + 2**-10),
        (1 + 2**-11, 1.0),
        (1 + 3 * 2**-11, 1 + 2**-9),
        (1 + 2**-11 + 2**-20, 1 + 2**-10),
        (-(1 + 2**-12), -1.0),
        (1e30, 1e30),
        (0.0, 0.0),
    ],
)
def test_tf32_has_ten_bits_of_mantissa_and_the_range_of_float32(value: float, rounded: float) -> None:
    """Rounded to nearest, ties to even."""
    (found,) = layers.to_tf32(np.array([value], np.float32))
    assert found == pytest.approx(rounded, rel=2**-11 if value == 1e30 else 0)


def test_products_round_what_enters_and_not_their_sums() -> None:
    """Each factor loses its last bits; what is added up keeps them."""
    a, b = np.array([[1 + 2**-11, 2**-12]], np.float32), np.ones((2, 1), np.float32)
    assert layers.in_tf32(a, b)[0, 0] == np.float32(1 + 2**-12)  # type: ignore[arg-type]


def test_a_network_in_tf32_is_one_of_its_own() -> None:
    """Beside the same in float32."""
    assert in_tf32_too([NET], ["cuda"], {}) == [NET, replace(NET, name="net-tf32", precision="tf32")]


@pytest.mark.parametrize(
    ("device", "inherited", "line"),
    [
        ("cpu", {}, "--tf32 on cpu: only NVIDIA GPUs have TF32; give --device cuda"),
        ("mps", {}, "--tf32 on mps: only NVIDIA GPUs have TF32; give --device cuda"),
        ("cuda:1", {}, "--tf32 on cuda:1: this GPU has no TF32; leave it out"),
        ("cuda", {"NVIDIA_TF32_OVERRIDE": "0"}, "--tf32: NVIDIA_TF32_OVERRIDE=0 forbids it; unset that variable"),
    ],
)  # fmt: skip
def test_tf32_is_refused_where_nothing_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, device: str, inherited: dict[str, str], line: str
) -> None:
    """A figure under that name must not be of other arithmetic."""
    monkeypatch.setattr(gpu, "capability", lambda device: (7, 0) if device == "cuda:1" else (9, 0))
    with pytest.raises(FcnBenchError) as found:
        in_tf32_too([NET], [device], inherited)
    assert str(found.value) == line


def test_nvidias_libraries_are_told_too() -> None:
    """Whatever a framework allows, a cell in float32 computes in float32."""
    row = Entry("mine", "plugin", "mine", "nowhere")
    assert environment.environment(row, "cuda", 1)["NVIDIA_TF32_OVERRIDE"] == "0"
    assert "NVIDIA_TF32_OVERRIDE" not in environment.environment(row, "cuda", 1, precision="tf32")


class InTf32(Implementation):
    """What a GPU does with float32 products that it may round to TF32; it has no float64."""

    dtypes = ("float32",)
    rate = 1.0

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Compute in TF32, whatever is asked for."""
        optimiser = replace(workload.optimiser, learning_rate=workload.optimiser.learning_rate * self.rate)
        super().__init__(replace(workload, precision="tf32", optimiser=optimiser), device, seed)

    def train_epoch(self, order: Any) -> float:
        """One pass in float32."""
        self.weights, loss, self.state = training.train_steps(
            self.workload, self.weights, self.x_train, self.y_train, order, *self.adam, self.state, np.float32
        )
        return loss

    def predict(self) -> Any:
        """Logits in float32."""
        return training.forward(self.workload, self.weights, self.x_test, np.float32)[0]


class TooFast(InTf32):
    """The same with a learning rate that is a tenth too large."""

    rate = 1.1


class TwiceSoftmax(InTf32):
    """The same with logits that went through a softmax."""

    def predict(self) -> Any:
        """Probabilities where logits are asked for."""
        return np.exp(training.log_softmax(super().predict()))


def climbed(make: type[Implementation], precision: Any, data: Path) -> Iterator[Check]:
    """The gate's rungs for a program, asked for in a precision."""
    workload = replace(NET, precision=precision)
    return checks.verify(Candidate.of(make, "cpu", 1), workload, mnist.load(data))


def test_the_gate_lets_tf32_pass_where_it_was_asked_for_and_nowhere_else(tiny_data: Path) -> None:
    """The limits follow the precision: they are what TF32 does to the oracle."""
    assert [rung for rung in climbed(InTf32, "tf32", tiny_data) if not rung.passed] == []
    failed = {rung.name for rung in climbed(InTf32, "float32", tiny_data) if not rung.passed}
    assert {"logits", "gradients"} <= failed


@pytest.mark.parametrize("mistaken", [TooFast, TwiceSoftmax])
def test_a_mistake_is_found_under_the_wider_limits_too(mistaken: type[Implementation], tiny_data: Path) -> None:
    """TF32 is no excuse for other work."""
    assert any(not rung.passed for rung in climbed(mistaken, "tf32", tiny_data))


def test_a_program_in_float32_passes_under_tf32(tiny_data: Path) -> None:
    """TF32 is allowed, not demanded: a small product may be done without."""
    assert all(rung.passed for rung in climbed(Implementation, "tf32", tiny_data))


@pytest.mark.parametrize("stem", [".hidden", "n" * 100])
def test_a_plugin_whose_name_no_file_can_have_is_refused(tmp_path: Path, stem: str) -> None:
    """Its results could not be stored."""
    (tmp_path / f"{stem}.py").touch()
    with pytest.raises(FcnBenchError, match="give the file another name"):
        chosen_entries(None, [tmp_path / f"{stem}.py"])
    with pytest.raises(FcnBenchError, match="give the file another name"):
        to_verify(None, [tmp_path / f"{stem}.py"])
