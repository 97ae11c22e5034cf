"""The parts of the floor: timed as they should be, and the arithmetic that they say they do."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import tutorials
from bench.store.records.floor import Part
from bench.worker.jobs import floor
from bench.worker.process import entry_point
from bench.worker.requests import MeasureFloor, Task
from impls import registry
from impls.contract import Unavailable
from impls.floor import LARGE, batches, operands
from impls.workload import SGD, Adam, Workload

LIBRARIES = [entry.framework for entry in registry.floors()]
RATE, STEPS = 1e-2, 3


@pytest.fixture
def small() -> Workload:
    """A network of three layers in batches of eight."""
    return replace(tutorials.networks()["mlp-128-64"], batch_size=8, optimiser=Adam(RATE))


@pytest.fixture
def images(small: Workload) -> Any:
    """A hundred images."""
    return np.random.default_rng(3).random((100, *small.shapes[0]), np.float32)


def made(library: str, *arguments: Any) -> Any:
    """A library's floor."""
    return importlib.import_module(f"impls.floor.{library}").Floor(*arguments)


def numbers(tensor: Any) -> Any:
    """As NumPy has them."""
    return np.asarray(tensor)


@pytest.mark.process
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_computes_every_product_of_every_step(library: str, small: Workload, images: Any) -> None:
    """Outputs, the kernels' gradients and what is passed back, but for the first layer's; the last step's are kept.

    XLA's loops change a number of their operands in each step: had the products been taken out of the loop, or all
    steps but one, that number would not be in the results.
    """
    found = made(library, small, "cpu", images)
    found.products(STEPS)
    expected = operands(small)
    if library in ("jax", "tensorflow"):
        for x, _, error in expected:
            x[0, 0] = error[0, 0] = STEPS - 1
    own = list(zip(*found.results, strict=False)) if library == "jax" else found.results
    for number, ((x, kernel, error), results) in enumerate(zip(expected, own, strict=False)):
        output, gradient = numbers(results[0]), numbers(results[1])
        gradient = gradient if gradient.shape == kernel.shape else gradient.T
        np.testing.assert_allclose(output, x @ kernel, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(gradient, x.T @ error, rtol=1e-3, atol=1e-3)
        if number and library != "jax":
            np.testing.assert_allclose(numbers(results[2]), error @ kernel.T, rtol=1e-3, atol=1e-3)
    if library == "jax":
        for back, (_, kernel, error) in zip(found.results[2], expected[1:], strict=True):
            np.testing.assert_allclose(numbers(back), error @ kernel.T, rtol=1e-3, atol=1e-3)


@pytest.mark.process
@pytest.mark.parametrize(("optimiser", "moved"), [(Adam(RATE), STEPS * RATE), (SGD(RATE), STEPS * RATE * 1e-3)])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_takes_every_step_of_the_optimiser(
    library: str, optimiser: Adam | SGD, moved: float, small: Workload, images: Any
) -> None:
    """With the same gradient in each step Adam moves every parameter by its rate, SGD by its rate times the gradient."""
    found = made(library, replace(small, optimiser=optimiser), "cpu", images)
    found.optimiser(STEPS)
    weights = numbers(found.weights)
    assert weights.shape == (small.parameters,)
    np.testing.assert_allclose(weights, 1e-3 - moved, rtol=1e-3)


@pytest.mark.process
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_gathers_batches_of_images(library: str, small: Workload, images: Any) -> None:
    """The last batch of the order is there in the end."""
    found = made(library, small, "cpu", images)
    found.gathering(STEPS)
    np.testing.assert_array_equal(numbers(found.batch), images[batches(100, 8, STEPS)[-1]])


def test_an_order_of_many_passes_has_each_image_once_in_each() -> None:
    """As an epoch's batches have."""
    order = batches(100, 10, 20).reshape(-1)
    assert sorted(order[:100]) == sorted(order[100:]) == list(range(100))


def test_the_first_call_is_not_timed() -> None:
    """It compiles; after it every repetition is kept as it was."""
    calls: list[int] = []
    ticks = iter(range(0, 10**12, 10**9))
    seconds = floor.repeated(calls.append, 7, clock=lambda: next(ticks))
    assert calls == [7] * (floor.REPETITIONS + 1) and seconds == (1.0,) * floor.REPETITIONS


def test_a_worker_reports_every_part_with_its_steps(tiny_data: Path, tiny: Workload) -> None:
    """Steps of an epoch count a last batch that is not full as a fraction; operations are those of the workload."""
    said: list[Any] = []
    entry = next(entry for entry in registry.floors() if entry.framework == "numpy")
    floor.run(MeasureFloor(entry_point(entry), Task(tiny, "cpu", 1, str(tiny_data))), said.append)
    parts = {part.name: part for part in said if isinstance(part, Part)}
    assert list(parts) == ["products", "optimiser", "gathering", "large"]
    assert parts["products"].flops == tiny.flops * tiny.batch_size and parts["large"].flops == 2 * LARGE**3
    n_train = parts["products"].epoch_steps * tiny.batch_size
    assert n_train == pytest.approx(round(n_train)) and parts["large"].epoch_steps is None
    assert all(len(part.seconds) == floor.REPETITIONS for part in parts.values())


@pytest.mark.process
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_device_that_a_library_does_not_have_is_said(library: str, small: Workload, images: Any) -> None:
    """The floor of that device is then made of the others, or not measured."""
    with pytest.raises(Unavailable):
        made(library, small, "mps", images)
