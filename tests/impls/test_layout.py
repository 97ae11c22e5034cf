"""Kernels on their way to PyTorch and back, and what PyTorch computes with them."""

import numpy as np
import pytest
from children import ask, needs

from impls import layout
from impls.oracle import training
from impls.oracle.training import Weights64
from impls.workload import SGD, Conv, Dense, Layer, Pool, Workload

SEED = 20240229
CASES = {
    "dense": ((7, 5), (7,)),
    "dense behind an image": ((3 * 4 * 5, 6), (3, 4, 5)),
    "conv": ((3, 3, 2, 4), (9, 8, 2)),
    "conv of size 1": ((1, 1, 5, 2), (4, 4, 5)),
}
# A dense layer behind a pool, behind a conv, behind a pool of the images themselves, and behind no image.
NETWORKS: dict[str, tuple[Layer, ...]] = {
    "conv, pool, dense": (
        Conv(3, 5, 2, "relu"), Pool(2), Conv(5, 4, 1, "tanh"), Pool(3), Dense(12, "sigmoid"), Dense(10),
    ),
    "conv, dense": (Conv(2, 3, 0, "relu"), Dense(10)),
    "pool, dense": (Pool(5), Dense(8, "tanh"), Dense(10)),
    "dense": (Dense(8, "relu"), Dense(10)),
}  # fmt: skip


def workload(name: str) -> Workload:
    """The network as a workload in float64."""
    return Workload(name.replace(", ", "-"), 0, NETWORKS[name], 0.0, 1.0, 4, 4, 1, SGD(0.1), dtype="float64")


def problem(name: str) -> tuple[np.ndarray, np.ndarray, Weights64]:
    """Images as the network takes them, labels, and weights."""
    rng, made = np.random.default_rng(SEED), workload(name)
    weights = training.widened(training.initial_weights(made, rng))
    return rng.normal(size=(5, *made.shapes[0])), rng.integers(0, 10, 5), weights


@pytest.mark.parametrize(("shape", "before"), CASES.values(), ids=CASES)
def test_a_kernel_comes_back_as_it_went(shape: tuple[int, ...], before: tuple[int, ...]) -> None:
    """There and back, and back and there, every entry is where it was."""
    kernel = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    weight = layout.to_pytorch(kernel, before)
    back = layout.from_pytorch(weight, before)
    np.testing.assert_array_equal(back, kernel, strict=True)
    np.testing.assert_array_equal(layout.to_pytorch(back, before), weight, strict=True)


@pytest.mark.parametrize(("shape", "before"), CASES.values(), ids=CASES)
def test_what_comes_from_pytorch_is_a_copy(shape: tuple[int, ...], before: tuple[int, ...]) -> None:
    """Writing to it leaves PyTorch's array alone."""
    weight = layout.to_pytorch(np.ones(shape), before).copy()
    layout.from_pytorch(weight, before)[:] = 0
    assert weight.min() == 1


def test_a_dense_kernel_is_transposed() -> None:
    """``[in, out]`` becomes ``[out, in]``."""
    assert layout.to_pytorch(np.array([[1, 2, 3], [4, 5, 6]]), (2,)).tolist() == [[1, 4], [2, 5], [3, 6]]


def test_a_conv_kernel_has_its_filters_first() -> None:
    """``[size, size, in, out]`` becomes ``[out, in, size, size]``, neither turned nor mirrored."""
    kernel = np.arange(3 * 3 * 2 * 4).reshape(3, 3, 2, 4)
    weight = layout.to_pytorch(kernel, (9, 9, 2))
    assert weight.shape == (4, 2, 3, 3)
    for a, b, channel, out in np.ndindex(*kernel.shape):
        assert weight[out, channel, a, b] == kernel[a, b, channel, out]


def test_behind_an_image_the_channels_become_outermost() -> None:
    """The row of a dense kernel for ``[row, column, channel]`` becomes the column for ``[channel, row, column]``."""
    height, width, channels = 2, 3, 4
    kernel = np.arange(height * width * channels * 5).reshape(-1, 5)
    weight = layout.to_pytorch(kernel, (height, width, channels))
    for row, column, channel in np.ndindex(height, width, channels):
        ours, theirs = (row * width + column) * channels + channel, (channel * height + row) * width + column
        assert weight[:, theirs].tolist() == kernel[ours].tolist()


TORCH = """
import sys
import numpy as np, torch
from torch import nn

torch.set_num_threads(1)
given, answer = dict(np.load(sys.argv[1])), {}
conv, dense = nn.Conv2d, nn.Linear
MODELS = {
    "conv, pool, dense": [
        conv(1, 3, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), conv(3, 5, 4, padding=1), nn.Tanh(), nn.MaxPool2d(3),
        nn.Flatten(), dense(80, 12), nn.Sigmoid(), dense(12, 10),
    ],
    "conv, dense": [conv(1, 2, 3), nn.ReLU(), nn.Flatten(), dense(1352, 10)],
    "pool, dense": [nn.MaxPool2d(5), nn.Flatten(), dense(25, 8), nn.Tanh(), dense(8, 10)],
    "dense": [dense(784, 8), nn.ReLU(), dense(8, 10)],
}
for name, modules in MODELS.items():
    model = nn.Sequential(*modules).double()
    with torch.no_grad():
        for i, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.from_numpy(given[f"{name}:{i}"]))
    logits = model(torch.from_numpy(given[f"{name}:x"]).movedim(-1, 1))
    nn.functional.cross_entropy(logits, torch.from_numpy(given[f"{name}:y"])).backward()
    answer[f"{name}:logits"] = logits.detach().numpy()
    answer |= {f"{name}:{i}": parameter.grad.numpy() for i, parameter in enumerate(model.parameters())}
np.savez(sys.argv[2], **answer)
"""


@pytest.fixture(scope="module")
def torch_answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The logits and gradients of PyTorch's own layers with our weights."""
    needs("torch")
    given = {}
    for name in NETWORKS:
        x, y, weights = problem(name)
        given |= {f"{name}:x": x, f"{name}:y": y}
        for i, ((kernel, bias), before) in enumerate(zip(weights, workload(name).inputs, strict=True)):
            given |= {f"{name}:{2 * i}": layout.to_pytorch(kernel, before), f"{name}:{2 * i + 1}": bias}
    return ask(TORCH, tmp_path_factory.mktemp("torch"), given)


@pytest.mark.process
@pytest.mark.parametrize("name", NETWORKS)
def test_pytorch_computes_the_oracles_logits(name: str, torch_answer: dict[str, np.ndarray]) -> None:
    """With weights through ``to_pytorch``, nn.Conv2d, MaxPool2d, Flatten and Linear give what the oracle gives."""
    x, _, weights = problem(name)
    logits, _ = training.forward(workload(name), weights, x)
    np.testing.assert_allclose(logits, torch_answer[f"{name}:logits"], rtol=1e-11, atol=1e-12)


@pytest.mark.process
@pytest.mark.parametrize("name", NETWORKS)
def test_pytorch_computes_the_oracles_gradients(name: str, torch_answer: dict[str, np.ndarray]) -> None:
    """Through ``from_pytorch`` the gradients that autograd finds are the oracle's."""
    x, y, weights = problem(name)
    _, gradients = training.loss_and_gradients(workload(name), weights, x, y)
    for i, ((kernel, bias), before) in enumerate(zip(gradients, workload(name).inputs, strict=True)):
        theirs = layout.from_pytorch(torch_answer[f"{name}:{2 * i}"], before)
        np.testing.assert_allclose(kernel, theirs, rtol=1e-9, atol=1e-12, strict=True)
        np.testing.assert_allclose(bias, torch_answer[f"{name}:{2 * i + 1}"], rtol=1e-9, atol=1e-12, strict=True)
