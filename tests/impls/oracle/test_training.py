"""The oracle against calculus, loops written another way, and the frameworks whose equations it states."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from children import ask, needs

from impls.contract import AdamForm, Data, Unavailable, Weights
from impls.oracle import layers as oracle_layers
from impls.oracle import training
from impls.oracle.layers import Float64
from impls.oracle.training import AnyWeights, Implementation, Weights64
from impls.workload import SGD, Activation, Adam, Conv, Dense, Dropout, Layer, Pool, Workload

RNG_SEED = 20240229
STEPS = 100
# Each framework's form of Adam with its own default epsilon.
PYTORCH: tuple[AdamForm, float] = ("pytorch", 1e-8)
KERAS: tuple[AdamForm, float] = ("keras", 1e-7)
KERAS_ROUNDED: tuple[AdamForm, float] = ("keras-float32-betas", 1e-7)


def network(*layers: Layer, optimiser: Adam | SGD | None = None, batch_size: int = 4) -> Workload:
    """A workload with these layers."""
    return Workload(
        name="small",
        document=0,
        layers=layers,
        mean=0.1307,
        std=0.3081,
        batch_size=batch_size,
        test_batch_size=7,
        epochs=1,
        optimiser=optimiser or Adam(1e-3),
    )


LINEAR = network(Dense(10), optimiser=SGD(0.1))
NETWORKS = {
    **{
        activation: network(Dense(7, activation), Dense(5, activation), Dense(10))
        for activation in ("linear", "relu", "sigmoid", "tanh")
    },
    "mlp-128-64": network(Dense(128, "relu"), Dense(64, "relu"), Dense(10)),
    "mlp-128-256-sigmoid": network(Dense(128, "sigmoid"), Dense(256, "sigmoid"), Dense(10), optimiser=Adam(5e-3)),
    "mlp-128-256-sgd": network(Dense(128, "relu"), Dense(256, "relu"), Dense(10), optimiser=SGD(0.1)),
}
IMAGE_NETWORKS = {
    "conv": network(Conv(2, 3), Dense(10)),
    "conv padded": network(Conv(2, 3, 1, "tanh"), Conv(3, 3, 2, "tanh"), Dense(10)),
    "conv of even size": network(Conv(2, 4, 0, "tanh"), Conv(2, 2, 0, "tanh"), Dense(10)),
    "conv of even size padded": network(Conv(2, 4, 1, "tanh"), Conv(3, 2, 1, "tanh"), Dense(10)),
    "conv of size 1": network(Conv(2, 1, 0, "tanh"), Conv(3, 1, 0, "sigmoid"), Dense(10)),
    "conv sigmoid": network(Conv(2, 5, 2, "sigmoid"), Conv(3, 5, 0, "sigmoid"), Dense(10)),
    "conv relu": network(Conv(2, 5, 2, "relu"), Conv(2, 3, 0, "relu"), Dense(10)),
    "pool": network(Pool(2), Dense(6, "tanh"), Dense(10)),
    "pool with a rest": network(Conv(2, 3, 0, "tanh"), Pool(4), Conv(2, 3, 1, "tanh"), Pool(4), Dense(10)),
    "conv, pool, dense": network(Conv(2, 5, 2, "relu"), Pool(2), Conv(3, 5, 2, "relu"), Pool(2), Dense(12), Dense(10)),
}
DROPOUT_NETWORKS = {
    "dropout": network(Dense(9, "tanh"), Dropout(0.5), Dense(7, "sigmoid"), Dropout(0.2), Dense(10)),
    "dropout of the images": network(Dropout(0.3), Dense(9, "tanh"), Dense(10)),
    "dropout behind conv": network(Conv(2, 3, 1, "tanh"), Dropout(0.4), Pool(3), Dropout(0.1), Dense(10)),
}


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts anew in every test."""
    return np.random.default_rng(RNG_SEED)


def samples(rng: np.random.Generator, n: int, workload: Workload = LINEAR) -> tuple[Float64, np.ndarray]:
    """Images as the workload takes them, ``[n, 784]`` where nothing else is asked for, and labels, without meaning."""
    return rng.normal(size=(n, *workload.shapes[0])), rng.integers(0, 10, n).astype(np.uint8)


def arrays(weights: AnyWeights) -> list[np.ndarray]:
    """The first kernel, the first bias, the second kernel and so on."""
    return [array for layer in weights for array in layer]


def relative_error(actual: AnyWeights, expected: AnyWeights) -> float:
    """The largest difference in any array, as a share of that array's largest entry."""
    pairs = zip(arrays(actual), arrays(expected), strict=True)
    return max(float(np.abs(a - e).max() / np.abs(e).max()) for a, e in pairs)


def check_slopes(
    workload: Workload, rng: np.random.Generator, n: int, mask_seed: int | None = None, step: float = 1e-5
) -> None:
    """Compare each array's gradient with central differences; with a seed, every loss is taken under the same masks.

    An image has thousands of relus, whose corners a long step would cross; in a short one rounding shows more.
    """
    x, y = samples(rng, n, workload)
    weights = training.widened(training.initial_weights(workload, rng))

    def evaluated() -> tuple[float, Weights64]:
        masks = None if mask_seed is None else np.random.default_rng(mask_seed)
        return training.loss_and_gradients(workload, weights, x, y, rng=masks)

    _, gradients = evaluated()
    tolerance = 1e-7 if step > 1e-6 else 1e-6
    assert [a.shape for a in arrays(gradients)] == [a.shape for a in arrays(weights)]
    for array, gradient in zip(arrays(weights), arrays(gradients), strict=True):
        scale = np.abs(gradient).max()
        assert scale > 0
        for entry in rng.integers(0, array.size, 8):
            kept = array.flat[entry]
            array.flat[entry] = kept + step
            above, _ = evaluated()
            array.flat[entry] = kept - step
            below, _ = evaluated()
            array.flat[entry] = kept
            assert (above - below) / (2 * step) == pytest.approx(gradient.flat[entry], rel=1e-6, abs=tolerance * scale)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_slopes_of_the_loss(name: str, rng: np.random.Generator) -> None:
    """Every array's gradient agrees with central differences of the loss, at entries drawn at random."""
    check_slopes(NETWORKS[name], rng, 6)


@pytest.mark.parametrize("name", IMAGE_NETWORKS)
def test_gradients_of_a_network_of_images_are_the_slopes_of_the_loss(name: str, rng: np.random.Generator) -> None:
    """Central differences agree behind conv and pool too, padded or not, of even and odd size, with pixels left over."""
    check_slopes(IMAGE_NETWORKS[name], rng, 3, step=1e-7)


@pytest.mark.parametrize("name", DROPOUT_NETWORKS)
def test_gradients_under_dropout_are_the_slopes_of_the_loss(name: str, rng: np.random.Generator) -> None:
    """Central differences agree where each loss is taken under the same masks."""
    check_slopes(DROPOUT_NETWORKS[name], rng, 3, mask_seed=5)


SCALAR = {
    "linear": lambda z: z,
    "relu": lambda z: z if z > 0 else 0.0,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": lambda z: (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z)),
}


@pytest.mark.parametrize("activation", SCALAR)
def test_forward_is_a_weighted_sum_and_an_activation_per_unit(activation: Activation, rng: np.random.Generator) -> None:
    """Logits and loss agree with loops over images, layers and units that use no array operation."""
    workload, (x, y) = NETWORKS[activation], samples(rng, 3)
    weights = training.initial_weights(workload, rng)
    logits, _ = training.forward(workload, weights, x)
    loss, _ = training.loss_and_gradients(workload, weights, x, y)
    losses = []
    for image, label, row in zip(x.tolist(), y.tolist(), logits, strict=True):
        values = image
        for layer, (kernel, bias) in zip(workload.layers, weights, strict=True):
            columns = [column.tolist() for column in kernel.T]
            values = [
                SCALAR[layer.activation](math.fsum([*map(float.__mul__, values, column), float(shift)]))
                for column, shift in zip(columns, bias, strict=True)
            ]
        assert row == pytest.approx(values, rel=1e-12, abs=1e-13)
        losses.append(math.log(sum(math.exp(value - values[label]) for value in values)))
    assert loss == pytest.approx(sum(losses) / len(losses), rel=1e-12)


def test_activations_lead_from_the_images_to_the_logits(rng: np.random.Generator) -> None:
    """One array per layer boundary, float64, the images first and the logits last."""
    workload, (x, _) = NETWORKS["relu"], samples(rng, 3)
    logits, activations = training.forward(workload, training.initial_weights(workload, rng), x.astype(np.float32))
    assert [array.shape for array in activations] == [(3, *shape) for shape in workload.shapes]
    assert all(array.dtype == np.float64 for array in activations)
    assert activations[-1] is logits


def test_an_image_keeps_its_form_until_it_is_dense(rng: np.random.Generator) -> None:
    """The activations of a network of images are images up to the first dense layer."""
    workload = IMAGE_NETWORKS["pool with a rest"]
    x, _ = samples(rng, 3, workload)
    _, activations = training.forward(workload, training.initial_weights(workload, rng), x)
    shapes = [(3, 28, 28, 1), (3, 26, 26, 2), (3, 6, 6, 2), (3, 6, 6, 2), (3, 1, 1, 2), (3, 10)]
    assert [array.shape for array in activations] == shapes


def test_float32_is_computed_in_where_it_is_asked_for(rng: np.random.Generator) -> None:
    """Every activation and gradient of a network with all kinds of layers is float32 then, near those in float64."""
    workload = network(Conv(2, 3, 1, "sigmoid"), Pool(3), Dropout(0.3), Dense(5, "relu"), Dense(10))
    x, y = samples(rng, 3, workload)
    weights = training.initial_weights(workload, rng)
    _, activations = training.forward(workload, weights, x, np.float32)
    _, narrow = training.loss_and_gradients(workload, weights, x, y, np.float32, np.random.default_rng(1))
    _, wide = training.loss_and_gradients(workload, weights, x, y, np.float64, np.random.default_rng(1))
    assert all(array.dtype == np.float32 for array in (*activations, *arrays(narrow)))
    assert 0 < relative_error(narrow, wide) < 1e-5


def test_forward_leaves_dropout_out(rng: np.random.Generator) -> None:
    """The logits are those of the network without its dropout layers."""
    workload = DROPOUT_NETWORKS["dropout"]
    kept = network(*(layer for layer in workload.layers if not isinstance(layer, Dropout)))
    (x, _), weights = samples(rng, 3), training.initial_weights(workload, rng)
    np.testing.assert_array_equal(
        training.forward(workload, weights, x)[0], training.forward(kept, weights, x)[0], strict=True
    )


def test_float32_values_are_computed_with_as_float64(rng: np.random.Generator) -> None:
    """Float32 weights and images give the very numbers that their float64 copies give."""
    workload, (x, _) = NETWORKS["tanh"], samples(rng, 3)
    weights, images = training.initial_weights(workload, rng), x.astype(np.float32)
    narrow, _ = training.forward(workload, weights, images)
    wide, _ = training.forward(workload, training.widened(weights), images.astype(np.float64))
    np.testing.assert_array_equal(narrow, wide)


def test_logits_of_a_thousand_overflow_nothing() -> None:
    """Logits of +-1000 give an exact loss and finite gradients, without a floating-point warning."""
    bias = np.where(np.arange(10) == 3, 1000.0, -1000.0)
    weights = [(np.zeros((784, 10)), bias)]
    x, y = np.zeros((2, 784)), np.array([3, 4], np.uint8)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, [(_, bias_gradient)] = training.loss_and_gradients(LINEAR, weights, x, y)
    assert loss == 1000.0  # 0 for the image that is right, 2000 for the one that is wrong
    assert bias_gradient.tolist() == [0, 0, 0, 0.5, -0.5, 0, 0, 0, 0, 0]


def test_sigmoid_overflows_nowhere() -> None:
    """Far from 0 it is 0 and 1 without a floating-point warning, and keeps its relative precision on the way."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values = oracle_layers.sigmoid(np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0]))
    assert values == pytest.approx([0.0, math.exp(-40.0), 0.5, 1.0, 1.0], rel=1e-15, abs=0)


def scalar_adam(gradients: list[float], rate: float, form: str, epsilon: float) -> list[float]:
    """One weight's way from 0, transcribed line by line from the two sources."""
    w, m, v, way = 0.0, 0.0, 0.0, []
    cast_1, cast_2 = (0.8999999761581421, 0.9990000128746033) if form == "keras-float32-betas" else (0.9, 0.999)
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        if form == "pytorch":  # Kingma & Ba, Algorithm 1
            m_hat = m / (1 - 0.9**t)
            v_hat = v / (1 - 0.999**t)
            w = w - rate * m_hat / (math.sqrt(v_hat) + epsilon)
        else:  # Kingma & Ba, the last paragraph before section 2.1
            alpha = rate * math.sqrt(1 - cast_2**t) / (1 - cast_1**t)
            w = w - alpha * m / (math.sqrt(v) + epsilon)
        way.append(w)
    return way


def gradient_sequence() -> list[Weights64]:
    """``STEPS`` gradients of one small layer, from 1e-9 to 1 in size, so that the epsilon decides some of the moves."""
    rng = np.random.default_rng(RNG_SEED)
    sizes = [(10.0 ** rng.uniform(-9, 0, shape)) for shape in ((5, 3), (3,))]
    return [[tuple(size * rng.normal(0.3, 1, size.shape) for size in sizes)] for _ in range(STEPS)]


def adam_way(form: AdamForm, epsilon: float) -> list[Weights64]:
    """The weights after each step from 0 along ``gradient_sequence``; from 0, so that small moves keep their digits."""
    weights: Weights64 = [(np.zeros((5, 3)), np.zeros(3))]
    state, way = None, []
    for gradients in gradient_sequence():
        weights, state = training.adam_step(weights, gradients, state, 1e-3, form, epsilon)
        way.append(weights)
    return way


@pytest.mark.parametrize(("form", "epsilon"), [PYTORCH, KERAS, KERAS_ROUNDED])
def test_adam_is_the_published_equation(form: AdamForm, epsilon: float) -> None:
    """Each entry of each array goes the way of a single number through the published lines."""
    way, gradients = adam_way(form, epsilon), gradient_sequence()
    for part in (0, 1):
        for entry in range(way[0][0][part].size):
            expected = scalar_adam([g[0][part].flat[entry] for g in gradients], 1e-3, form, epsilon)
            assert [w[0][part].flat[entry] for w in way] == pytest.approx(expected, rel=1e-11, abs=1e-18)


def test_the_two_forms_of_adam_differ() -> None:
    """With each framework's own epsilon, and with the same number for it too, the ways part by more than a tenth."""
    assert relative_error(adam_way(*KERAS)[-1], adam_way(*PYTORCH)[-1]) > 0.1
    assert relative_error(adam_way("keras", 1e-8)[-1], adam_way("pytorch", 1e-8)[-1]) > 0.1


def test_rounded_betas_change_the_moves_by_millionths() -> None:
    """Keras' form with betas rounded to float32 ends beside the exact one, apart by more than float64 rounds."""
    assert 1e-6 < relative_error(adam_way(*KERAS_ROUNDED)[-1], adam_way(*KERAS)[-1]) < 1e-5


def test_the_forms_of_adam_meet_at_the_rescaled_epsilon(rng: np.random.Generator) -> None:
    """At step t the Keras form with eps^ is the PyTorch form with eps^ / sqrt(1 - 0.999**t), as the docstring says."""
    gradients = [(10.0 ** rng.uniform(-9, 0, (5, 3)), 10.0 ** rng.uniform(-9, 0, 3))]
    weights = [(np.zeros((5, 3)), np.zeros(3))]
    keras, _ = training.adam_step(weights, gradients, None, 1e-3, "keras", 1e-7)
    pytorch, _ = training.adam_step(weights, gradients, None, 1e-3, "pytorch", 1e-7 / math.sqrt(1 - 0.999))
    assert relative_error(keras, pytorch) < 1e-13


def test_an_unknown_form_of_adam_is_an_error() -> None:
    """A misspelt form does not quietly run the other one."""
    weights = [(np.ones((2, 2)), np.ones(2))]
    with pytest.raises(KeyError, match="tensorflow"):
        training.adam_step(weights, weights, None, 1e-3, "tensorflow", 1e-7)


def test_sgd_subtracts_the_scaled_gradient() -> None:
    """``w - rate * g`` without momentum, kernel and bias alike, at the second step as at the first."""
    weights, state = [(np.full((2, 2), 3.0), np.ones(2))], None
    for expected in (([[2.5, 2.5], [2.5, 2.5]], [-1.0, -1.0]), ([[2.0, 2.0], [2.0, 2.0]], [-3.0, -3.0])):
        weights, state = training.sgd_step(weights, [(np.ones((2, 2)), np.full(2, 4.0))], state, 0.5, 0.0)
        [(kernel, bias)] = weights
        assert (kernel.tolist(), bias.tolist()) == expected


def test_sgd_with_momentum_is_the_stated_equation() -> None:
    """Each entry goes the way of a single number through ``v = momentum * v + g``, ``w = w - rate * v`` from 0."""
    weights: Weights64 = [(np.zeros((5, 3)), np.zeros(3))]
    state, way, gradients = None, [], gradient_sequence()
    for gradient in gradients:
        weights, state = training.sgd_step(weights, gradient, state, 0.1, 0.9)
        way.append(weights)
    for part in (0, 1):
        for entry in range(way[0][0][part].size):
            w, v = 0.0, 0.0
            for moved, gradient in zip(way, gradients, strict=True):
                v = 0.9 * v + gradient[0][part].flat[entry]
                w = w - 0.1 * v
                assert moved[0][part].flat[entry] == pytest.approx(w, rel=1e-12, abs=1e-20)


def test_the_last_batch_is_used_when_it_is_smaller(rng: np.random.Generator) -> None:
    """Six images in batches of four are two steps, the second on two images."""
    x, y = samples(rng, 6)
    start = training.initial_weights(LINEAR, rng)
    trained, _, _ = training.train_steps(LINEAR, start, x, y, np.arange(6), *PYTORCH)
    expected, state = start, None
    for batch in (slice(0, 4), slice(4, 6)):
        _, gradients = training.loss_and_gradients(LINEAR, expected, x[batch], y[batch])
        expected, state = training.sgd_step(expected, gradients, state, 0.1, 0.0)
    for actual, by_hand in zip(arrays(trained), arrays(expected), strict=True):
        np.testing.assert_array_equal(actual, by_hand)


def test_batches_follow_the_order(rng: np.random.Generator) -> None:
    """Training on ``order`` is training on the arrays rearranged by it."""
    workload, (x, y) = NETWORKS["relu"], samples(rng, 10)
    start, order = training.initial_weights(workload, rng), rng.permutation(10)
    given, _, _ = training.train_steps(workload, start, x, y, order, *PYTORCH)
    rearranged, _, _ = training.train_steps(workload, start, x[order], y[order], np.arange(10), *PYTORCH)
    assert relative_error(given, rearranged) == 0
    unordered, _, _ = training.train_steps(workload, start, x, y, np.arange(10), *PYTORCH)
    assert relative_error(unordered, rearranged) > 1e-6


def test_the_loss_is_a_mean_over_samples(rng: np.random.Generator) -> None:
    """With a rate of 0 the mean loss of uneven batches is the loss of all images together."""
    workload, (x, y) = network(Dense(10), optimiser=SGD(0.0)), samples(rng, 6)
    start = training.initial_weights(workload, rng)
    _, loss, _ = training.train_steps(workload, start, x, y, np.arange(6), *PYTORCH)
    whole, _ = training.loss_and_gradients(workload, start, x, y)
    assert loss == pytest.approx(whole, rel=1e-14)


def test_each_loss_is_taken_before_its_step(rng: np.random.Generator) -> None:
    """The loss of a single batch is that of the start weights, not of the trained ones."""
    x, y = samples(rng, 4)
    start = training.initial_weights(LINEAR, rng)
    trained, loss, _ = training.train_steps(LINEAR, start, x, y, np.arange(4), *PYTORCH)
    assert loss == training.loss_and_gradients(LINEAR, start, x, y)[0]
    assert loss > training.loss_and_gradients(LINEAR, trained, x, y)[0]


@pytest.mark.parametrize("optimiser", [Adam(1e-3), SGD(0.1, 0.9)], ids=lambda optimiser: optimiser.kind)
def test_an_optimiser_goes_on_from_the_state_of_the_call_before(
    optimiser: Adam | SGD, rng: np.random.Generator
) -> None:
    """Two calls that hand the state on are one longer call; without the state they are not."""
    workload, (x, y) = replace(NETWORKS["tanh"], optimiser=optimiser), samples(rng, 8)
    start, order = training.initial_weights(workload, rng), np.arange(8)
    half, _, state = training.train_steps(workload, start, x, y, order, *PYTORCH)
    continued, _, _ = training.train_steps(workload, half, x, y, order, *PYTORCH, state)
    at_once, _, _ = training.train_steps(workload, start, x, y, np.concatenate([order, order]), *PYTORCH)
    assert relative_error(continued, at_once) == 0
    afresh, _, _ = training.train_steps(workload, half, x, y, order, *PYTORCH)
    assert relative_error(afresh, at_once) > 1e-6


def test_every_batch_has_masks_of_its_own(rng: np.random.Generator) -> None:
    """The losses of the same images under dropout, at a rate of 0, differ from batch to batch and repeat by the seed."""
    workload = replace(DROPOUT_NETWORKS["dropout"], optimiser=SGD(0.0), batch_size=6)
    (x, y), start = samples(rng, 6), training.initial_weights(workload, rng)
    masks, again = np.random.default_rng(5), np.random.default_rng(5)
    first, second = (
        training.train_steps(workload, start, x, y, np.arange(6), *PYTORCH, rng=masks)[1] for _ in range(2)
    )
    twice = np.tile(np.arange(6), 2)
    assert first != second
    _, both, _ = training.train_steps(workload, start, x, y, twice, *PYTORCH, rng=again)
    assert both == pytest.approx((first + second) / 2, rel=1e-14)


def test_training_without_a_generator_leaves_dropout_out(rng: np.random.Generator) -> None:
    """The weights are those that the network without its dropout layers is trained to."""
    workload = DROPOUT_NETWORKS["dropout"]
    kept = network(*(layer for layer in workload.layers if not isinstance(layer, Dropout)))
    (x, y), start = samples(rng, 6), training.initial_weights(workload, rng)
    with_layers, without = (
        training.train_steps(made, start, x, y, np.arange(6), *PYTORCH)[0] for made in (workload, kept)
    )
    assert relative_error(with_layers, without) == 0


def test_training_writes_to_none_of_its_arguments(rng: np.random.Generator) -> None:
    """Read-only weights, images and labels can be trained with."""
    workload, (x, y) = NETWORKS["relu"], samples(rng, 6)
    start = training.widened(training.initial_weights(workload, rng))
    for array in (x, y, *arrays(start)):
        array.setflags(write=False)
    trained, _, _ = training.train_steps(workload, start, x, y, np.arange(6), *KERAS)
    assert relative_error(trained, start) > 0


def test_initial_weights_are_the_same_for_the_same_seed() -> None:
    """The generator decides everything: the same seed gives the same bits, another seed gives others."""
    first, again, other = (
        arrays(training.initial_weights(NETWORKS["relu"], np.random.default_rng(seed))) for seed in (7, 7, 8)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def check_interval(kernel: np.ndarray, bias: np.ndarray, inputs: int, spread: float = 0.05) -> None:
    """Within +-1/sqrt(inputs) and spread as a uniform variable is."""
    bound = 1 / math.sqrt(inputs)
    assert kernel.dtype == bias.dtype == np.float32
    assert max(np.abs(kernel).max(), np.abs(bias).max()) <= bound * (1 + 1e-7)  # float32 rounds the bound itself
    assert kernel.std() == pytest.approx(bound / math.sqrt(3), rel=spread)
    assert abs(kernel.mean()) < 2 * spread * bound


def test_initial_weights_fill_the_interval_of_torch_linear() -> None:
    """Float32 ``[in, out]`` and ``[out]``, within +-1/sqrt(in) and spread as a uniform variable is."""
    workload = NETWORKS["mlp-128-64"]
    weights = training.initial_weights(workload, np.random.default_rng(RNG_SEED))
    shapes = [(784, 128), (128, 64), (64, 10)]
    assert [(kernel.shape, bias.shape) for kernel, bias in weights] == [(shape, shape[1:]) for shape in shapes]
    for (kernel, bias), (inputs, _) in zip(weights, shapes, strict=True):
        check_interval(kernel, bias, inputs)


def test_initial_weights_of_a_conv_fill_the_interval_of_torch_conv2d() -> None:
    """``in`` is what one output is computed from: height times width times channels of the kernel."""
    workload = network(Conv(32, 5, 2), Pool(2), Conv(64, 5, 2), Pool(2), Dense(10))
    weights = training.initial_weights(workload, np.random.default_rng(RNG_SEED))
    shapes = [(5, 5, 1, 32), (5, 5, 32, 64), (3136, 10)]
    assert [(kernel.shape, bias.shape) for kernel, bias in weights] == [(shape, shape[-1:]) for shape in shapes]
    for (kernel, bias), inputs in zip(weights, (25, 800, 3136), strict=True):
        check_interval(kernel, bias, inputs)


def test_initial_weights_are_the_same_numbers_in_float64() -> None:
    """A workload in float64 starts from the float32 values, widened."""
    workload = IMAGE_NETWORKS["conv, pool, dense"]
    narrow, wide = (
        arrays(training.initial_weights(made, np.random.default_rng(7)))
        for made in (workload, replace(workload, dtype="float64"))
    )
    assert {array.dtype for array in wide} == {np.dtype(np.float64)}
    assert all(np.array_equal(a, b) for a, b in zip(narrow, wide, strict=True))


TORCH = """
import sys
import numpy as np, torch
from torchvision.transforms import Compose, Normalize, ToTensor

torch.set_num_threads(1)
given = dict(np.load(sys.argv[1]))
answer = {}

parameters = [torch.zeros(given[f"g{i}"].shape[1:], dtype=torch.float64, requires_grad=True) for i in (0, 1)]
optimiser = torch.optim.Adam(parameters, lr=1e-3)
ways = [[], []]
for step in range(len(given["g0"])):
    for i, parameter in enumerate(parameters):
        parameter.grad = torch.from_numpy(given[f"g{i}"][step])
    optimiser.step()
    for way, parameter in zip(ways, parameters):
        way.append(parameter.detach().numpy().copy())
answer["way0"], answer["way1"] = ways

x, y = torch.from_numpy(given["x"]), torch.from_numpy(given["y"]).long()
makers = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
}
for name, make in makers.items():
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 7), torch.nn.ReLU(), torch.nn.Linear(7, 5), torch.nn.ReLU(), torch.nn.Linear(5, 10)
    ).double()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.from_numpy(given[f"w{i}"]).T)
    optimiser, total = make(model.parameters()), 0.0
    for batch in torch.from_numpy(given["order"]).split(4):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimiser.step()
        total += loss.item() * len(batch)
    for i, p in enumerate(model.parameters()):
        answer[f"{name}{i}"] = p.detach().T.numpy()
    answer[f"{name}_loss"] = total / len(given["order"])

for i, (mean, std) in enumerate(given["scalings"]):
    transform = Compose([ToTensor(), Normalize((mean,), (std,))])
    answer[f"scaled{i}"] = np.stack([transform(image[:, :, None]).numpy().ravel() for image in given["images"]])
answer["unscaled"] = np.stack([ToTensor()(image[:, :, None]).numpy().ravel() for image in given["images"]])
np.savez(sys.argv[2], **answer)
"""
KERAS_TENSORFLOW = """
import sys
import numpy as np, keras, tensorflow as tf

keras.config.set_floatx("float64")
given, answer = dict(np.load(sys.argv[1])), {}
for name in ("plain", "exact"):
    variables = [keras.Variable(np.zeros(given[f"g{i}"].shape[1:]), dtype="float64") for i in (0, 1)]
    optimiser = keras.optimizers.Adam(learning_rate=1e-3)
    assert optimiser.epsilon == 1e-7
    if name == "exact":
        optimiser.beta_1, optimiser.beta_2 = tf.constant(0.9, tf.float64), tf.constant(0.999, tf.float64)
    ways = [[], []]
    for step in range(len(given["g0"])):
        optimiser.apply([tf.constant(given[f"g{i}"][step]) for i in (0, 1)], variables)
        for way, variable in zip(ways, variables):
            way.append(variable.numpy().copy())
    answer[f"{name}0"], answer[f"{name}1"] = ways
np.savez(sys.argv[2], **answer)
"""


def stacked_gradients() -> dict[str, np.ndarray]:
    """``gradient_sequence`` as two arrays, the steps first."""
    return {f"g{part}": np.stack([g[0][part] for g in gradient_sequence()]) for part in (0, 1)}


SCALINGS = [(0.1307, 0.3081), (0.1307, 0.3008), (0.0, 1.0), (0.5, 0.5)]
EVERY_BYTE = np.resize(np.arange(256, dtype=np.uint8), (3, 28, 28))


def training_problem() -> tuple[Float64, np.ndarray, np.ndarray, Weights]:
    """Images, labels, the order of 100 batches of four with a last one of three, and the start."""
    rng = np.random.default_rng(RNG_SEED)
    x, y = samples(rng, 40)
    return x, y, rng.integers(0, 40, 4 * STEPS + 3), training.initial_weights(NETWORKS["relu"], rng)


@pytest.fixture(scope="module")
def torch_answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What PyTorch makes of the gradients, the training problem and the images."""
    needs("torch", "torchvision")
    x, y, order, start = training_problem()
    weights = {f"w{i}": array for i, array in enumerate(arrays(start))}
    given = {"x": x, "y": y, "order": order, "scalings": np.array(SCALINGS), "images": EVERY_BYTE}
    return ask(TORCH, tmp_path_factory.mktemp("torch"), {**given, **weights, **stacked_gradients()})


@pytest.fixture(scope="module")
def keras_answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What Keras on TensorFlow makes of the gradients."""
    needs("keras", "tensorflow")
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return ask(KERAS_TENSORFLOW, tmp_path_factory.mktemp("keras"), stacked_gradients(), **environment)


def way_error(answer: dict[str, np.ndarray], name: str, way: list[Weights64]) -> float:
    """The largest relative difference in any entry at any step."""
    parts = [(answer[f"{name}{part}"], np.stack([weights[0][part] for weights in way])) for part in (0, 1)]
    return max(float(np.abs(theirs / ours - 1).max()) for theirs, ours in parts)


@pytest.mark.process
def test_adam_is_what_torch_runs(torch_answer: dict[str, np.ndarray]) -> None:
    """100 steps of torch.optim.Adam in float64, defaults but for the rate, entry by entry: 1e-13 was seen."""
    assert way_error(torch_answer, "way", adam_way(*PYTORCH)) < 1e-11


@pytest.mark.process
def test_adam_is_what_keras_states(keras_answer: dict[str, np.ndarray]) -> None:
    """100 steps of keras.optimizers.Adam, its betas given as float64 tensors, entry by entry: 6e-14 was seen."""
    assert way_error(keras_answer, "exact", adam_way(*KERAS)) < 1e-11


@pytest.mark.process
def test_adam_is_what_keras_runs(keras_answer: dict[str, np.ndarray]) -> None:
    """As it comes, Keras on TensorFlow runs the form with rounded betas, in float64 too, entry by entry.

    It passes its betas through ``tf.cast``, which makes a float32 of a Python number first, so that its bias correction
    is that of 0.99900001: the first move is 6.7e-6 too short, the hundredth 6.1e-6.
    """
    assert way_error(keras_answer, "plain", adam_way(*KERAS_ROUNDED)) < 1e-11


@pytest.mark.process
@pytest.mark.parametrize(("name", "optimiser"), [("adam", Adam(1e-3)), ("sgd", SGD(0.1)), ("momentum", SGD(0.01, 0.9))])
def test_training_is_what_torch_trains(name: str, optimiser: Adam | SGD, torch_answer: dict[str, np.ndarray]) -> None:
    """100 steps and one on a smaller batch, forward, loss, backward and step, end where torch in float64 ends."""
    x, y, order, start = training_problem()
    workload = network(*NETWORKS["relu"].layers, optimiser=optimiser)
    trained, loss, _ = training.train_steps(workload, start, x, y, order, *PYTORCH)
    theirs = [torch_answer[f"{name}{i}"] for i in range(6)]
    assert relative_error(list(zip(theirs[::2], theirs[1::2], strict=True)), trained) < 1e-11
    assert loss == pytest.approx(float(torch_answer[f"{name}_loss"]), rel=1e-11)


@pytest.mark.process
@pytest.mark.parametrize(("index", "mean", "std"), [(i, *scaling) for i, scaling in enumerate(SCALINGS)])
def test_scaling_is_torchvisions_bit_for_bit(
    index: int, mean: float, std: float, torch_answer: dict[str, np.ndarray]
) -> None:
    """``Workload.scale`` gives the bits of ToTensor and Normalize for every byte."""
    workload = Workload("scaled", 0, (Dense(10),), mean, std, 4, 4, 1, Adam(1e-3))
    scaled = workload.scale(EVERY_BYTE)
    assert scaled.dtype == np.float32
    assert scaled.tobytes() == torch_answer[f"scaled{index}"].tobytes()


@pytest.mark.process
def test_mean_0_and_std_1_are_totensor_alone(torch_answer: dict[str, np.ndarray]) -> None:
    """The documents that only divide by 255 get the bits of ToTensor."""
    scaled = Workload("scaled", 0, (Dense(10),), 0.0, 1.0, 4, 4, 1, Adam(1e-3)).scale(EVERY_BYTE)
    assert scaled.tobytes() == torch_answer["unscaled"].tobytes()


@pytest.fixture(scope="module")
def digits() -> Data:
    """2,000 images around ten prototypes of random bytes, and 200 more to test on."""
    rng = np.random.default_rng(RNG_SEED)
    prototypes, labels = rng.integers(64, 192, (10, 28, 28)), rng.integers(0, 10, 2200).astype(np.uint8)
    images = (prototypes[labels] + rng.integers(-64, 64, (2200, 28, 28))).astype(np.uint8)
    return Data(images[:2000], labels[:2000], images[2000:], labels[2000:], Path())


def built(digits: Data, workload: Workload) -> Implementation:
    """An implementation with its data loaded."""
    implementation = Implementation(workload, "cpu", seed=3)
    implementation.load(digits)
    return implementation


@pytest.mark.parametrize("optimiser", [Adam(1e-3), SGD(0.01)])
def test_it_learns(optimiser: Adam | SGD, digits: Data) -> None:
    """From chance level to nearly every separable image right in three epochs, the loss falling each time."""
    workload = network(Dense(32, "relu"), Dense(10), optimiser=optimiser, batch_size=64)
    implementation, rng = built(digits, workload), np.random.default_rng(RNG_SEED)
    before = (implementation.predict().argmax(axis=1) == digits.y_test).mean()
    losses = [implementation.train_epoch(rng.permutation(2000)) for _ in range(3)]
    after = (implementation.predict().argmax(axis=1) == digits.y_test).mean()
    assert before < 0.4
    assert after > 0.98
    assert losses == sorted(losses, reverse=True)


def test_the_form_of_adam_shows_in_training(digits: Data) -> None:
    """Ten steps of a network under either framework's form end apart by over a thousandth of the way they went."""
    workload = network(Dense(32, "relu"), Dense(10), batch_size=64)
    x, start = workload.scale(digits.x_train), training.initial_weights(workload, np.random.default_rng(RNG_SEED))
    ends = [
        training.train_steps(workload, start, x, digits.y_train, np.arange(640), *adam)[0] for adam in (PYTORCH, KERAS)
    ]
    origin, pytorch, keras = (np.concatenate([a.ravel() for a in arrays(weights)]) for weights in (start, *ends))
    assert np.linalg.norm(keras - pytorch) > 1e-3 * np.linalg.norm(pytorch - origin)


def test_an_epoch_is_train_steps_on_the_scaled_images(digits: Data) -> None:
    """Two epochs are ``train_steps`` over both orders, Adam not starting again between them."""
    workload = network(Dense(8, "tanh"), Dense(10), batch_size=50)
    implementation, rng = built(digits, workload), np.random.default_rng(RNG_SEED)
    start, orders = implementation.get_weights(), [rng.permutation(2000), rng.permutation(2000)]
    losses = [implementation.train_epoch(order) for order in orders]
    expected, loss, _ = training.train_steps(
        workload, start, workload.scale(digits.x_train), digits.y_train, np.concatenate(orders), *PYTORCH
    )
    assert relative_error(implementation.weights, expected) == 0
    assert sum(losses) / 2 == pytest.approx(loss, rel=1e-14)


def test_weights_come_back_as_they_were_set(digits: Data, rng: np.random.Generator) -> None:
    """Float32 in, the same bits out, in arrays of their own."""
    implementation = built(digits, NETWORKS["relu"])
    given = training.initial_weights(NETWORKS["relu"], rng)
    implementation.set_weights(given)
    implementation.get_weights()[0][0][:] = 0.0
    for back, gave in zip(arrays(implementation.get_weights()), arrays(given), strict=True):
        assert back.dtype == np.float32
        assert back.tobytes() == gave.tobytes()


def test_without_weights_it_starts_from_its_seed() -> None:
    """An implementation that is given no weights starts from ``initial_weights`` of its seed."""
    workload = NETWORKS["relu"]
    own = Implementation(workload, "cpu", 11).get_weights()
    assert relative_error(own, training.initial_weights(workload, np.random.default_rng(11))) == 0


def test_predict_is_forward_over_all_test_images(digits: Data) -> None:
    """Float32 logits of every test image, the last slice being smaller."""
    workload = NETWORKS["relu"]
    implementation = built(digits, workload)
    logits = implementation.predict()
    expected, _ = training.forward(workload, implementation.get_weights(), workload.scale(digits.x_test))
    assert len(digits.x_test) % workload.test_batch_size != 0
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_it_runs_on_the_cpu_only(device: str) -> None:
    """Any other device is refused in one line that names it."""
    with pytest.raises(Unavailable, match=f"^reference-numpy cannot use device '{device}'.*$"):
        Implementation(LINEAR, device, 0)


def test_it_declares_what_it_runs() -> None:
    """It trains in the given order, with PyTorch's form of Adam, in float64, and has no device to wait for."""
    implementation = Implementation(LINEAR, "cpu", 0)
    assert implementation.takes_order is True
    assert implementation.adam == PYTORCH
    assert implementation.switches == {"dtype": "float64"}
    assert (implementation.sync(), implementation.device_memory()) == (None, None)


def test_its_members_stand_in_the_contracts_order() -> None:
    """The eight members and their order are those of the contract."""
    members = [name for name, member in vars(Implementation).items() if callable(member)]
    assert members == [
        "__init__", "load", "set_weights", "get_weights", "train_epoch", "predict", "sync", "device_memory",
    ]  # fmt: skip
