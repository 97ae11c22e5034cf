"""The oracle's layers against plain loops, and against PyTorch's functions of the same name."""

from itertools import product

import numpy as np
import pytest
from children import ask, needs

from impls.oracle import layers
from impls.workload import Activation, Conv, Dense, Dropout, Pool

SEED = 20240229
# filters, size, padding of a conv and what enters it: odd and even, padded and not, one channel and more, not square
CONVS = [
    (Conv(2, 3), (6, 6, 1)),
    (Conv(3, 3, 1), (5, 6, 2)),
    (Conv(2, 5, 2), (6, 5, 3)),
    (Conv(2, 4), (6, 7, 2)),
    (Conv(2, 4, 3), (4, 5, 2)),
    (Conv(3, 2, 1), (5, 5, 1)),
    (Conv(4, 1), (4, 3, 2)),
    (Conv(2, 6, 1), (4, 4, 2)),
]
POOLS = [(2, (6, 4, 3)), (2, (7, 5, 2)), (3, (7, 9, 1)), (3, (5, 5, 2)), (4, (4, 4, 2))]


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts anew in every test."""
    return np.random.default_rng(SEED)


def conv_problem(number: int) -> tuple[Conv, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A conv, its images, kernel and bias, and an error that comes back to it."""
    layer, before = CONVS[number]
    rng = np.random.default_rng([SEED, number])
    x, kernel = rng.normal(size=(3, *before)), rng.normal(size=(layer.size, layer.size, before[-1], layer.filters))
    bias = rng.normal(size=layer.filters)
    high, wide = (side + 2 * layer.padding - layer.size + 1 for side in before[:2])
    return layer, x, kernel, bias, rng.normal(size=(3, high, wide, layer.filters))


def pool_problem(number: int) -> tuple[Pool, np.ndarray, np.ndarray]:
    """A pool, its images, of few values so that many are equal, and an error that comes back to it."""
    size, before = POOLS[number]
    rng = np.random.default_rng([SEED, 9, number])
    shape = (3, before[0] // size, before[1] // size, before[2])
    return Pool(size), rng.integers(0, 3, (3, *before)).astype(np.float64), rng.normal(size=shape)


def looped_conv(layer: Conv, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> list[float]:
    """The conv's values before its activation, each summed by itself, with a test for the edge in place of zeros."""
    n, height, width, channels = x.shape
    rows, columns = (range(side + 2 * layer.padding - layer.size + 1) for side in (height, width))
    values = []
    for image, i, j, out in product(range(n), rows, columns, range(layer.filters)):
        total = float(bias[out])
        for a, b, channel in product(range(layer.size), range(layer.size), range(channels)):
            row, column = i + a - layer.padding, j + b - layer.padding
            if 0 <= row < height and 0 <= column < width:
                total += float(x[image, row, column, channel]) * float(kernel[a, b, channel, out])
        values.append(total)
    return values


@pytest.mark.parametrize("number", range(len(CONVS)))
def test_a_conv_is_a_sum_over_the_square_and_the_channels(number: int) -> None:
    """Each value agrees with loops over image, place, filter, square and channel that use no array operation."""
    layer, x, kernel, bias, error = conv_problem(number)
    out, _ = layers.conv(layer, x, kernel, bias)
    assert out.shape == error.shape
    assert out.ravel().tolist() == pytest.approx(looped_conv(layer, x, kernel, bias), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("activation", layers.ACTIVATIONS)
def test_a_conv_applies_its_activation(activation: Activation) -> None:
    """What the activation makes of the linear values, and the error is scaled by its slope on the way back."""
    _, x, kernel, bias, error = conv_problem(1)
    apply, slope = layers.ACTIVATIONS[activation]
    linear, back_linear = layers.conv(Conv(3, 3, 1), x, kernel, bias)
    out, back = layers.conv(Conv(3, 3, 1, activation), x, kernel, bias)
    np.testing.assert_allclose(out, apply(linear), rtol=1e-15)
    for ours, expected in zip(back(error, True), back_linear(error * slope(out), True), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-14)


def test_a_conv_does_not_turn_its_kernel() -> None:
    """A kernel with a one at its upper left moves the image down and right by the padding."""
    x, kernel = np.arange(16.0).reshape(1, 4, 4, 1), np.zeros((3, 3, 1, 1))
    kernel[0, 0] = 1.0
    out, _ = layers.conv(Conv(1, 3, 1), x, kernel, np.zeros(1))
    assert out[0, :, :, 0].tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [0, 4, 5, 6], [0, 8, 9, 10]]


def test_patches_hold_the_square_around_each_place() -> None:
    """``[n, h', w', size, size, c]``, with zeros where the square is off the image."""
    x = np.arange(1.0, 19.0).reshape(1, 3, 3, 2)
    found = layers.patches(x, 2, 1)
    assert found.shape == (1, 4, 4, 2, 2, 2)
    assert found[0, 0, 0].tolist() == [[[0, 0], [0, 0]], [[0, 0], [1, 2]]]
    assert found[0, 1, 2].tolist() == [[[3, 4], [5, 6]], [[9, 10], [11, 12]]]


def test_a_dense_layer_takes_an_image_row_by_row_channels_innermost(rng: np.random.Generator) -> None:
    """Its kernel's rows are the image's ``[height, width, channels]`` flattened, and the error comes back as one."""
    x, kernel, bias = rng.normal(size=(3, 2, 4, 5)), rng.normal(size=(40, 6)), rng.normal(size=6)
    out, back = layers.dense(Dense(6), x, kernel, bias)
    expected = np.einsum("nhwc,hwco->no", x, kernel.reshape(2, 4, 5, 6)) + bias
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)
    assert back(np.ones((3, 6)), True)[0].shape == x.shape


def test_the_layer_that_sees_the_images_need_not_pass_the_error_on() -> None:
    """Dense and conv give nothing for their input where it is not asked for, and the same for kernel and bias."""
    layer, x, kernel, bias, error = conv_problem(1)
    _, back = layers.conv(layer, x, kernel, bias)
    _, back_dense = layers.dense(Dense(2), x, np.ones((60, 2)), np.zeros(2))
    for go_back, arriving in ((back, error), (back_dense, np.ones((3, 2)))):
        nothing, *others = go_back(arriving, False)
        assert nothing.size == 0
        assert all(np.array_equal(a, b) for a, b in zip(others, go_back(arriving, True)[1:], strict=True))


@pytest.mark.parametrize("number", range(len(POOLS)))
def test_a_pool_keeps_the_largest_of_each_square(number: int) -> None:
    """Each value agrees with Python's ``max`` over the square's values."""
    layer, x, error = pool_problem(number)
    out, _ = layers.pool(layer, x)
    assert out.shape == error.shape
    for n, i, j, channel in np.ndindex(*out.shape):
        rows, columns = range(i * layer.size, (i + 1) * layer.size), range(j * layer.size, (j + 1) * layer.size)
        assert out[n, i, j, channel] == max(x[n, row, column, channel] for row, column in product(rows, columns))


def test_the_first_of_equals_has_the_error_to_itself() -> None:
    """First row by row; the others of a square get nothing."""
    x = np.array([[5.0, 5.0, 1.0, 2.0], [5.0, 5.0, 3.0, 3.0], [0.0, 7.0, -1.0, -1.0], [7.0, 0.0, -1.0, -1.0]])
    _, back = layers.pool(Pool(2), x.reshape(1, 4, 4, 1))
    before, _, _ = back(np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1), True)
    assert before[0, :, :, 0].tolist() == [[1, 0, 0, 0], [0, 0, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]]


def test_rows_and_columns_that_fill_no_square_are_dropped() -> None:
    """The largest value of all, in the last column, is not seen, and no error reaches what is left over."""
    x = np.zeros((1, 5, 7, 2))
    x[0, :, 6], x[0, 4] = 9.0, 8.0
    x[0, 0, 0] = 1.0
    out, back = layers.pool(Pool(2), x)
    before, _, _ = back(np.ones_like(out), True)
    assert (out.shape, out.max(), before.shape, before.sum()) == ((1, 2, 3, 2), 1.0, x.shape, out.size)
    assert not before[0, 4].any() and not before[0, :, 6].any()


def test_a_pool_has_no_kernel_and_no_bias() -> None:
    """Nor has dropout: both arrays are empty."""
    _, back = layers.pool(Pool(2), np.ones((1, 4, 4, 1)))
    _, back_dropout = layers.dropout(Dropout(0.5), np.ones((1, 4)), None)
    assert [part.size for part in back(np.ones((1, 2, 2, 1)), True)[1:]] == [0, 0]
    assert [part.size for part in back_dropout(np.ones((1, 4)), True)[1:]] == [0, 0]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropout_drops_at_its_rate_and_scales_the_rest(rate: float, rng: np.random.Generator) -> None:
    """0 in that share of 40,000 values, within five standard deviations, and the value over ``1 - rate`` elsewhere."""
    x = rng.normal(size=(40, 10, 10, 10))
    out, _ = layers.dropout(Dropout(rate), x, rng)
    dropped = out == 0
    assert abs(dropped.mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / x.size)
    np.testing.assert_allclose(out[~dropped], x[~dropped] / (1 - rate), rtol=1e-15)


def test_the_error_comes_back_through_the_same_mask(rng: np.random.Generator) -> None:
    """What was dropped gets no error, the rest gets it scaled as its value was."""
    out, back = layers.dropout(Dropout(0.3), np.ones((20, 30)), rng)
    before, _, _ = back(np.full((20, 30), 2.0), True)
    np.testing.assert_array_equal(before, 2 * out)


def test_dropout_without_a_generator_changes_nothing(rng: np.random.Generator) -> None:
    """Neither the values nor the error."""
    x = rng.normal(size=(4, 5))
    out, back = layers.dropout(Dropout(0.9), x, None)
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(back(x, True)[0], x)


def test_dropout_at_rate_0_changes_nothing(rng: np.random.Generator) -> None:
    """With a generator too, which is how the gate builds it."""
    x = rng.normal(size=(40, 50))
    np.testing.assert_array_equal(layers.dropout(Dropout(0.0), x, rng)[0], x)


def test_dropout_draws_a_mask_anew_each_time(rng: np.random.Generator) -> None:
    """Twice from one generator differs, twice from the same seed does not, and no two samples share a mask."""
    x = np.ones((2, 200))
    first, second = (layers.dropout(Dropout(0.5), x, rng)[0] for _ in range(2))
    again, _ = layers.dropout(Dropout(0.5), x, np.random.default_rng(SEED))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(first, again)


TORCH = """
import sys
import numpy as np, torch
from torch.nn import functional

torch.set_num_threads(1)
given, answer = dict(np.load(sys.argv[1])), {}


def leaf(array, *axes):
    return torch.tensor(array.transpose(axes), requires_grad=True)


def last(tensor):
    return tensor.detach().permute(0, 2, 3, 1).numpy()


for i, padding in enumerate(given["paddings"]):
    x, kernel = leaf(given[f"conv_x{i}"], 0, 3, 1, 2), leaf(given[f"kernel{i}"], 3, 2, 0, 1)
    bias = leaf(given[f"bias{i}"], 0)
    out = functional.conv2d(x, kernel, bias, padding=int(padding))
    out.backward(torch.tensor(given[f"conv_error{i}"].transpose(0, 3, 1, 2)))
    answer |= {f"conv{i}": last(out), f"conv_before{i}": last(x.grad), f"bias{i}": bias.grad.numpy()}
    answer[f"kernel{i}"] = kernel.grad.permute(2, 3, 1, 0).numpy()
for i, size in enumerate(given["sizes"]):
    x = leaf(given[f"pool_x{i}"], 0, 3, 1, 2)
    out = functional.max_pool2d(x, int(size))
    out.backward(torch.tensor(given[f"pool_error{i}"].transpose(0, 3, 1, 2)))
    answer |= {f"pool{i}": last(out), f"pool_before{i}": last(x.grad)}
np.savez(sys.argv[2], **answer)
"""


@pytest.fixture(scope="module")
def torch_answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What PyTorch makes of the images, and of the errors on their way back."""
    needs("torch")
    given = {"paddings": np.array([layer.padding for layer, _ in CONVS]), "sizes": np.array([s for s, _ in POOLS])}
    for i in range(len(CONVS)):
        names = [f"{name}{i}" for name in ("conv_x", "kernel", "bias", "conv_error")]
        given |= dict(zip(names, conv_problem(i)[1:], strict=True))
    for i in range(len(POOLS)):
        given |= dict(zip((f"pool_x{i}", f"pool_error{i}"), pool_problem(i)[1:], strict=True))
    return ask(TORCH, tmp_path_factory.mktemp("torch"), given)


@pytest.mark.process
@pytest.mark.parametrize("number", range(len(CONVS)))
def test_a_conv_is_torchs(number: int, torch_answer: dict[str, np.ndarray]) -> None:
    """The values, and the gradients of images, kernel and bias, are those of conv2d in float64."""
    layer, x, kernel, bias, error = conv_problem(number)
    out, back = layers.conv(layer, x, kernel, bias)
    for name, ours in zip(("conv", "conv_before", "kernel", "bias"), (out, *back(error, True)), strict=True):
        np.testing.assert_allclose(ours, torch_answer[f"{name}{number}"], rtol=1e-11, atol=1e-12, strict=True)


@pytest.mark.process
@pytest.mark.parametrize("number", range(len(POOLS)))
def test_a_pool_is_torchs(number: int, torch_answer: dict[str, np.ndarray]) -> None:
    """The values and the gradient of the images, equals included, are those of max_pool2d bit for bit."""
    layer, x, error = pool_problem(number)
    out, back = layers.pool(layer, x)
    np.testing.assert_array_equal(out, torch_answer[f"pool{number}"], strict=True)
    np.testing.assert_array_equal(back(error, True)[0], torch_answer[f"pool_before{number}"], strict=True)
