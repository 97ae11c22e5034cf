"""What a workload says of itself: shapes, kernels, parameters, operations, and its images as numbers."""

from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from impls.workload import SGD, Adam, Conv, Dense, Dropout, Layer, Pool, Workload


def network(*layers: Layer, **values: Any) -> Workload:
    """A workload with these layers."""
    return replace(Workload("small", 0, layers, 0.1307, 0.3081, 4, 7, 1, Adam(1e-3)), **values)


MLP = network(Dense(128, "relu"), Dropout(0.5), Dense(64, "relu"), Dense(10))
CNN = network(Conv(32, 5, 2, "relu"), Pool(2), Conv(64, 4, 0, "relu"), Pool(3), Dropout(0.1), Dense(100), Dense(10))
ONLY_POOL = network(Pool(3), Dense(10))


@pytest.mark.parametrize(
    ("workload", "shapes"),
    [
        (network(Dense(10)), ((784,), (10,))),
        (MLP, ((784,), (128,), (128,), (64,), (10,))),
        (ONLY_POOL, ((28, 28, 1), (9, 9, 1), (10,))),
        (CNN, ((28, 28, 1), (28, 28, 32), (14, 14, 32), (11, 11, 64), (3, 3, 64), (3, 3, 64), (100,), (10,))),
        (network(Dropout(0.2), Conv(2, 28), Dense(10)), ((28, 28, 1), (28, 28, 1), (1, 1, 2), (10,))),
        (network(Conv(2, 3, 2), Dense(10)), ((28, 28, 1), (30, 30, 2), (10,))),
    ],
    ids=["dense", "dropout", "pool", "conv", "conv of the whole image", "conv that widens"],
)
def test_shapes_are_what_enters_and_what_leaves_each_layer(workload: Workload, shapes: tuple[Any, ...]) -> None:
    """784 numbers where nothing looks at an image, else height, width and channels up to the first dense layer."""
    assert workload.shapes == shapes


def test_inputs_are_what_enters_each_layer_with_a_kernel() -> None:
    """Behind an image a dense layer's input still has the image's shape."""
    assert MLP.inputs == ((784,), (128,), (64,))
    assert CNN.inputs == ((28, 28, 1), (14, 14, 32), (3, 3, 64), (100,))
    assert ONLY_POOL.inputs == ((9, 9, 1),)


def test_kernels_are_in_out_and_size_size_in_out() -> None:
    """One per dense and conv layer, none for pool and dropout."""
    assert MLP.kernels == ((784, 128), (128, 64), (64, 10))
    assert CNN.kernels == ((5, 5, 1, 32), (4, 4, 32, 64), (576, 100), (100, 10))
    assert ONLY_POOL.kernels == ((81, 10),)


def test_parameters_are_counted_with_their_biases() -> None:
    """By hand, layer by layer."""
    assert MLP.parameters == (784 * 128 + 128) + (128 * 64 + 64) + (64 * 10 + 10)
    assert CNN.parameters == (25 * 32 + 32) + (16 * 32 * 64 + 64) + (576 * 100 + 100) + (100 * 10 + 10)
    assert ONLY_POOL.parameters == 820


@pytest.mark.parametrize("hidden", [(), (128,), (128, 64), (64, 64, 32, 32)], ids=str)
def test_the_operations_of_a_dense_network_are_the_formulas(hidden: tuple[int, ...]) -> None:
    """``6 sum(n_i n_{i+1}) - 2 n_0 n_1``."""
    sizes = (784, *hidden, 10)
    expected = 6 * sum(a * b for a, b in pairwise(sizes)) - 2 * sizes[0] * sizes[1]
    assert network(*(Dense(units, "relu") for units in sizes[1:])).flops == expected


def test_dropout_costs_no_operations() -> None:
    """As pool does: both multiply with no kernel."""
    assert MLP.flops == network(Dense(128, "relu"), Dense(64, "relu"), Dense(10)).flops
    assert ONLY_POOL.flops == 4 * 81 * 10


def test_the_operations_of_a_conv_are_counted_at_every_place() -> None:
    """By hand: each kernel entry twice at each place, forward, for its gradient, and to pass the error on."""
    first = 2 * (28 * 28) * (25 * 32)
    second = 2 * (11 * 11) * (16 * 32 * 64)
    dense = 2 * 576 * 100 + 2 * 100 * 10
    assert CNN.flops == 2 * first + 3 * second + 3 * dense


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((Dense(8), Pool(2)), "1: pool needs an image, but 8 numbers arrive; put it before the dense layers"),
        ((Dense(8), Dropout(0.1), Conv(2, 3)), "2: conv needs an image, but 8 numbers arrive"),
        ((Pool(29),), "0: pool of size 29 is larger than the 28x28 image that arrives"),
        ((Pool(4), Conv(2, 8)), "1: conv of size 8 is larger than the 7x7 image that arrives"),
        ((Pool(9), Conv(2, 6, 1)), "1: conv of size 6 is larger than the 3x3 image that arrives"),
        ((Conv(2, 3, 3),), "0: conv of size 3 has padding 3, expected at most 2"),
        ((Pool(2), Conv(2, 1, 1)), "1: conv of size 1 has padding 1, expected at most 0"),
    ],
)
def test_a_layer_that_cannot_take_what_arrives_is_named_by_its_position(layers: Any, message: str) -> None:
    """From 0, with what arrives and what is wrong, on one line."""
    with pytest.raises(ValueError) as raised:
        _ = network(*layers, Dense(10)).shapes
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_kernel_may_be_as_large_as_the_padded_image() -> None:
    """One value for each filter is left."""
    assert network(Pool(9), Conv(2, 5, 1), Dense(10)).shapes[2] == (1, 1, 2)


@pytest.mark.parametrize("optimiser", [Adam(1e-3), SGD(0.1), SGD(0.1, 0.9)])
@pytest.mark.parametrize("workload", [MLP, CNN], ids=["dense", "conv"])
def test_a_workload_comes_back_from_its_dictionary(workload: Workload, optimiser: Adam | SGD) -> None:
    """``from_dict`` is the inverse of ``asdict``, whatever the layers, the optimiser and the rest are."""
    given = replace(
        workload, optimiser=optimiser, seed=3, validation=0.1, evaluate_every=20, dtype="float64", note="so",
        shuffle=False, loss="log-softmax-nll",
    )  # fmt: skip
    assert Workload.from_dict(asdict(given)) == given


def test_a_dictionary_from_before_there_were_kinds_is_read_too() -> None:
    """Layers without a kind are dense, SGD is without momentum, nothing is held out, and float32 is computed in."""
    given = asdict(network(Dense(8, "tanh"), Dense(10), optimiser=SGD(0.1)))
    given["layers"] = [{"units": 8, "activation": "tanh"}, {"units": 10, "activation": "linear"}]
    given["optimiser"] = {"kind": "sgd", "learning_rate": 0.1}
    for key in ("validation", "evaluate_every", "dtype"):
        del given[key]
    assert Workload.from_dict(given) == network(Dense(8, "tanh"), Dense(10), optimiser=SGD(0.1))


IMAGES = np.resize(np.arange(256, dtype=np.uint8), (3, 28, 28))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_images_are_scaled_in_float32_whatever_is_computed_in(dtype: str) -> None:
    """``(byte / 255 - mean) / std``, rounded at every step as float32 is; float64 has the same values."""
    scaled = network(Dense(10), dtype=dtype).scale(IMAGES)
    f = np.float32
    expected = [[(f(byte) / f(255) - f(0.1307)) / f(0.3081) for byte in image.ravel()] for image in IMAGES]
    np.testing.assert_array_equal(scaled, np.array(expected, np.float32).astype(dtype), strict=True)


def test_a_network_of_images_gets_them_as_images() -> None:
    """``[n, 28, 28, 1]``, with the values that another network gets as 784 numbers."""
    scaled = CNN.scale(IMAGES)
    assert scaled.shape == (3, 28, 28, 1)
    np.testing.assert_array_equal(scaled.reshape(3, 784), MLP.scale(IMAGES), strict=True)


def test_hidden_layers_keep_their_proportion_and_the_logits_their_number() -> None:
    """At least one unit; the name says what is changed, and everything else is as it was."""
    for units, expected in ((512, [512, 256, 10]), (1, [1, 1, 10])):
        other = MLP.with_width(units)
        assert [layer.units for layer in other.layers if isinstance(layer, Dense)] == expected
        assert replace(other, name=MLP.name, layers=MLP.layers) == MLP
    assert MLP.with_batch_size(256) == replace(MLP, name="small-b256", batch_size=256)
    assert MLP.with_width(512).name == "small-w512"
    assert MLP.with_batch_size(1).with_width(1).name == "small-b1-w1"


def test_convolutions_stay_as_they_are_and_only_dense_layers_grow() -> None:
    """The dropout between them too."""
    assert CNN.with_width(200).layers == (*CNN.layers[:5], Dense(200), *CNN.layers[6:])


def test_a_network_that_has_that_size_already_stays_what_it_is() -> None:
    """And one without a hidden layer has no width to change."""
    assert MLP.with_batch_size(MLP.batch_size) is MLP and MLP.with_width(128) is MLP
    assert ONLY_POOL.width is None and ONLY_POOL.with_width(5) is ONLY_POOL
