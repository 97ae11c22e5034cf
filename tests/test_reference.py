"""The oracle against calculus, loops written another way, and the frameworks whose equations it states."""

import importlib.util
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from impls import reference
from impls.contract import SGD, Activation, Adam, Data, Dense, Unavailable, Weights, Workload

RNG_SEED = 20240229
STEPS = 100
# Each framework's form of Adam with its own default epsilon.
PYTORCH: tuple[reference.AdamForm, float] = ("pytorch", 1e-8)
KERAS: tuple[reference.AdamForm, float] = ("keras", 1e-7)


def network(*layers: Dense, optimiser: Adam | SGD | None = None, batch_size: int = 4) -> Workload:
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


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that starts anew in every test."""
    return np.random.default_rng(RNG_SEED)


def samples(rng: np.random.Generator, n: int) -> tuple[reference.Float64, np.ndarray]:
    """Images ``[n, 784]`` and labels ``[n]`` without meaning."""
    return rng.normal(size=(n, Workload.inputs)), rng.integers(0, 10, n).astype(np.uint8)


def arrays(weights: reference.AnyWeights) -> list[np.ndarray]:
    """The first kernel, the first bias, the second kernel and so on."""
    return [array for layer in weights for array in layer]


def relative_error(actual: reference.AnyWeights, expected: reference.AnyWeights) -> float:
    """The largest difference in any array, as a share of that array's largest entry."""
    pairs = zip(arrays(actual), arrays(expected), strict=True)
    return max(float(np.abs(a - e).max() / np.abs(e).max()) for a, e in pairs)


# Forward and backward


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_slopes_of_the_loss(name: str, rng: np.random.Generator) -> None:
    """Every array's gradient agrees with central differences of the loss, at entries drawn at random."""
    workload, (x, y) = NETWORKS[name], samples(rng, 6)
    weights = reference.widened(reference.initial_weights(workload, rng))
    _, gradients = reference.loss_and_gradients(workload, weights, x, y)
    step = 1e-5
    for array, gradient in zip(arrays(weights), arrays(gradients), strict=True):
        scale = np.abs(gradient).max()
        for entry in rng.integers(0, array.size, 8):
            kept = array.flat[entry]
            array.flat[entry] = kept + step
            above, _ = reference.loss_and_gradients(workload, weights, x, y)
            array.flat[entry] = kept - step
            below, _ = reference.loss_and_gradients(workload, weights, x, y)
            array.flat[entry] = kept
            assert (above - below) / (2 * step) == pytest.approx(gradient.flat[entry], rel=1e-6, abs=1e-7 * scale)


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
    weights = reference.initial_weights(workload, rng)
    logits, _ = reference.forward(workload, weights, x)
    loss, _ = reference.loss_and_gradients(workload, weights, x, y)
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
    logits, activations = reference.forward(workload, reference.initial_weights(workload, rng), x.astype(np.float32))
    assert [array.shape for array in activations] == [(3, units) for units in workload.sizes]
    assert all(array.dtype == np.float64 for array in activations)
    assert activations[-1] is logits


def test_float32_values_are_computed_with_as_float64(rng: np.random.Generator) -> None:
    """Float32 weights and images give the very numbers that their float64 copies give."""
    workload, (x, _) = NETWORKS["tanh"], samples(rng, 3)
    weights, images = reference.initial_weights(workload, rng), x.astype(np.float32)
    narrow, _ = reference.forward(workload, weights, images)
    wide, _ = reference.forward(workload, reference.widened(weights), images.astype(np.float64))
    np.testing.assert_array_equal(narrow, wide)


def test_logits_of_a_thousand_overflow_nothing() -> None:
    """Logits of +-1000 give an exact loss and finite gradients, without a floating-point warning."""
    bias = np.where(np.arange(10) == 3, 1000.0, -1000.0)
    weights = [(np.zeros((Workload.inputs, 10)), bias)]
    x, y = np.zeros((2, Workload.inputs)), np.array([3, 4], np.uint8)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, [(_, bias_gradient)] = reference.loss_and_gradients(LINEAR, weights, x, y)
    assert loss == 1000.0  # 0 for the image that is right, 2000 for the one that is wrong
    assert bias_gradient.tolist() == [0, 0, 0, 0.5, -0.5, 0, 0, 0, 0, 0]


def test_sigmoid_overflows_nowhere() -> None:
    """Far from 0 it is 0 and 1 without a floating-point warning, and keeps its relative precision on the way."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values = reference.sigmoid(np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0]))
    assert values == pytest.approx([0.0, math.exp(-40.0), 0.5, 1.0, 1.0], rel=1e-15, abs=0)


# Optimisers, by hand


def scalar_adam(gradients: list[float], rate: float, form: str, epsilon: float) -> list[float]:
    """One weight's way from 0, transcribed line by line from the two sources."""
    w, m, v, way = 0.0, 0.0, 0.0, []
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        if form == "pytorch":  # Kingma & Ba, Algorithm 1
            m_hat = m / (1 - 0.9**t)
            v_hat = v / (1 - 0.999**t)
            w = w - rate * m_hat / (math.sqrt(v_hat) + epsilon)
        else:  # Kingma & Ba, the last paragraph before section 2.1
            alpha = rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            w = w - alpha * m / (math.sqrt(v) + epsilon)
        way.append(w)
    return way


def gradient_sequence() -> list[reference.Weights64]:
    """``STEPS`` gradients of one small layer, from 1e-9 to 1 in size, so that the epsilon decides some of the moves."""
    rng = np.random.default_rng(RNG_SEED)
    sizes = [(10.0 ** rng.uniform(-9, 0, shape)) for shape in ((5, 3), (3,))]
    return [[tuple(size * rng.normal(0.3, 1, size.shape) for size in sizes)] for _ in range(STEPS)]


def adam_way(form: reference.AdamForm, epsilon: float) -> list[reference.Weights64]:
    """The weights after each step from 0 along ``gradient_sequence``; from 0, so that small moves keep their digits."""
    weights: reference.Weights64 = [(np.zeros((5, 3)), np.zeros(3))]
    state, way = None, []
    for gradients in gradient_sequence():
        weights, state = reference.adam_step(weights, gradients, state, 1e-3, form, epsilon)
        way.append(weights)
    return way


@pytest.mark.parametrize(("form", "epsilon"), [PYTORCH, KERAS])
def test_adam_is_the_published_equation(form: reference.AdamForm, epsilon: float) -> None:
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


def test_the_forms_of_adam_meet_at_the_rescaled_epsilon(rng: np.random.Generator) -> None:
    """At step t the Keras form with eps^ is the PyTorch form with eps^ / sqrt(1 - 0.999**t), as the docstring says."""
    gradients = [(10.0 ** rng.uniform(-9, 0, (5, 3)), 10.0 ** rng.uniform(-9, 0, 3))]
    weights = [(np.zeros((5, 3)), np.zeros(3))]
    keras, _ = reference.adam_step(weights, gradients, None, 1e-3, "keras", 1e-7)
    pytorch, _ = reference.adam_step(weights, gradients, None, 1e-3, "pytorch", 1e-7 / math.sqrt(1 - 0.999))
    assert relative_error(keras, pytorch) < 1e-13


def test_an_unknown_form_of_adam_is_an_error() -> None:
    """A misspelt form does not quietly run the other one."""
    weights = [(np.ones((2, 2)), np.ones(2))]
    with pytest.raises(KeyError, match="tensorflow"):
        reference.adam_step(weights, weights, None, 1e-3, "tensorflow", 1e-7)


def test_sgd_subtracts_the_scaled_gradient() -> None:
    """``w - rate * g``, kernel and bias alike."""
    [(kernel, bias)] = reference.sgd_step(
        [(np.full((2, 2), 3.0), np.ones(2))], [(np.ones((2, 2)), np.full(2, 4.0))], 0.5
    )
    assert kernel.tolist() == [[2.5, 2.5], [2.5, 2.5]]
    assert bias.tolist() == [-1.0, -1.0]


# Training


def test_the_last_batch_is_used_when_it_is_smaller(rng: np.random.Generator) -> None:
    """Six images in batches of four are two steps, the second on two images."""
    x, y = samples(rng, 6)
    start = reference.initial_weights(LINEAR, rng)
    trained, _, _ = reference.train_steps(LINEAR, start, x, y, np.arange(6), *PYTORCH)
    expected = start
    for batch in (slice(0, 4), slice(4, 6)):
        _, gradients = reference.loss_and_gradients(LINEAR, expected, x[batch], y[batch])
        expected = reference.sgd_step(expected, gradients, 0.1)
    for actual, by_hand in zip(arrays(trained), arrays(expected), strict=True):
        np.testing.assert_array_equal(actual, by_hand)


def test_batches_follow_the_order(rng: np.random.Generator) -> None:
    """Training on ``order`` is training on the arrays rearranged by it."""
    workload, (x, y) = NETWORKS["relu"], samples(rng, 10)
    start, order = reference.initial_weights(workload, rng), rng.permutation(10)
    given, _, _ = reference.train_steps(workload, start, x, y, order, *PYTORCH)
    rearranged, _, _ = reference.train_steps(workload, start, x[order], y[order], np.arange(10), *PYTORCH)
    assert relative_error(given, rearranged) == 0
    unordered, _, _ = reference.train_steps(workload, start, x, y, np.arange(10), *PYTORCH)
    assert relative_error(unordered, rearranged) > 1e-6


def test_the_loss_is_a_mean_over_samples(rng: np.random.Generator) -> None:
    """With a rate of 0 the mean loss of uneven batches is the loss of all images together."""
    workload, (x, y) = network(Dense(10), optimiser=SGD(0.0)), samples(rng, 6)
    start = reference.initial_weights(workload, rng)
    _, loss, _ = reference.train_steps(workload, start, x, y, np.arange(6), *PYTORCH)
    whole, _ = reference.loss_and_gradients(workload, start, x, y)
    assert loss == pytest.approx(whole, rel=1e-14)


def test_each_loss_is_taken_before_its_step(rng: np.random.Generator) -> None:
    """The loss of a single batch is that of the start weights, not of the trained ones."""
    x, y = samples(rng, 4)
    start = reference.initial_weights(LINEAR, rng)
    trained, loss, _ = reference.train_steps(LINEAR, start, x, y, np.arange(4), *PYTORCH)
    assert loss == reference.loss_and_gradients(LINEAR, start, x, y)[0]
    assert loss > reference.loss_and_gradients(LINEAR, trained, x, y)[0]


def test_adam_goes_on_from_the_state_of_the_call_before(rng: np.random.Generator) -> None:
    """Two calls that hand the state on are one longer call; without the state they are not."""
    workload, (x, y) = NETWORKS["tanh"], samples(rng, 8)
    start, order = reference.initial_weights(workload, rng), np.arange(8)
    half, _, state = reference.train_steps(workload, start, x, y, order, *PYTORCH)
    continued, _, _ = reference.train_steps(workload, half, x, y, order, *PYTORCH, state)
    at_once, _, _ = reference.train_steps(workload, start, x, y, np.concatenate([order, order]), *PYTORCH)
    assert relative_error(continued, at_once) == 0
    afresh, _, _ = reference.train_steps(workload, half, x, y, order, *PYTORCH)
    assert relative_error(afresh, at_once) > 1e-6


def test_training_writes_to_none_of_its_arguments(rng: np.random.Generator) -> None:
    """Read-only weights, images and labels can be trained with."""
    workload, (x, y) = NETWORKS["relu"], samples(rng, 6)
    start = reference.widened(reference.initial_weights(workload, rng))
    for array in (x, y, *arrays(start)):
        array.setflags(write=False)
    trained, _, _ = reference.train_steps(workload, start, x, y, np.arange(6), *KERAS)
    assert relative_error(trained, start) > 0


# The start


def test_initial_weights_are_the_same_for_the_same_seed() -> None:
    """The generator decides everything: the same seed gives the same bits, another seed gives others."""
    first, again, other = (
        arrays(reference.initial_weights(NETWORKS["relu"], np.random.default_rng(seed))) for seed in (7, 7, 8)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_initial_weights_fill_the_interval_of_torch_linear() -> None:
    """Float32 ``[in, out]`` and ``[out]``, within +-1/sqrt(in) and spread as a uniform variable is."""
    workload = NETWORKS["mlp-128-64"]
    weights = reference.initial_weights(workload, np.random.default_rng(RNG_SEED))
    for (kernel, bias), (inputs, outputs) in zip(weights, pairwise(workload.sizes), strict=True):
        bound = 1 / math.sqrt(inputs)
        assert (kernel.shape, bias.shape) == ((inputs, outputs), (outputs,))
        assert kernel.dtype == bias.dtype == np.float32
        assert max(np.abs(kernel).max(), np.abs(bias).max()) <= bound * (1 + 1e-7)  # float32 rounds the bound itself
        assert kernel.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
        assert abs(kernel.mean()) < 0.1 * bound


# Against the frameworks, each in a process of its own

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
makers = {"sgd": lambda p: torch.optim.SGD(p, lr=0.1), "adam": lambda p: torch.optim.Adam(p, lr=1e-3)}
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


def ask(script: str, folder: Path, given: dict[str, np.ndarray], **environment: str) -> dict[str, np.ndarray]:
    """Run ``script`` in a fresh interpreter; arrays go in and come out as files, apart from what it prints."""
    np.savez(folder / "given.npz", **given)
    command = [sys.executable, "-c", script, str(folder / "given.npz"), str(folder / "answer.npz")]
    done = subprocess.run(command, env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", **environment}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return dict(np.load(folder / "answer.npz"))


def needs(*modules: str) -> None:
    """Skip where a framework is missing, without importing it here."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")


def stacked_gradients() -> dict[str, np.ndarray]:
    """``gradient_sequence`` as two arrays, the steps first."""
    return {f"g{part}": np.stack([g[0][part] for g in gradient_sequence()]) for part in (0, 1)}


SCALINGS = [(0.1307, 0.3081), (0.1307, 0.3008), (0.0, 1.0), (0.5, 0.5)]
EVERY_BYTE = np.resize(np.arange(256, dtype=np.uint8), (3, 28, 28))


def training_problem() -> tuple[reference.Float64, np.ndarray, np.ndarray, Weights]:
    """Images, labels, the order of 100 batches of four with a last one of three, and the start."""
    rng = np.random.default_rng(RNG_SEED)
    x, y = samples(rng, 40)
    return x, y, rng.integers(0, 40, 4 * STEPS + 3), reference.initial_weights(NETWORKS["relu"], rng)


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


def way_error(answer: dict[str, np.ndarray], name: str, way: list[reference.Weights64]) -> float:
    """The largest relative difference in any entry at any step."""
    parts = [(answer[f"{name}{part}"], np.stack([weights[0][part] for weights in way])) for part in (0, 1)]
    return max(float(np.abs(theirs / ours - 1).max()) for theirs, ours in parts)


def test_adam_is_what_torch_runs(torch_answer: dict[str, np.ndarray]) -> None:
    """100 steps of torch.optim.Adam in float64, defaults but for the rate, entry by entry: 1e-13 was seen."""
    assert way_error(torch_answer, "way", adam_way(*PYTORCH)) < 1e-11


def test_adam_is_what_keras_states(keras_answer: dict[str, np.ndarray]) -> None:
    """100 steps of keras.optimizers.Adam, its betas given as float64 tensors, entry by entry: 6e-14 was seen."""
    assert way_error(keras_answer, "exact", adam_way(*KERAS)) < 1e-11


def test_adam_is_what_keras_runs_as_far_as_its_betas_are_exact(keras_answer: dict[str, np.ndarray]) -> None:
    """As it comes, Keras on TensorFlow is within 1e-5, float64 variables or not.

    It passes its betas through ``tf.cast``, which makes a float32 of a Python number first, so that its bias correction
    is that of 0.99900001: the first move is 6.7e-6 too short, the hundredth 6.1e-6.
    """
    plain = [(keras_answer["plain0"][-1], keras_answer["plain1"][-1])]
    assert relative_error(plain, adam_way(*KERAS)[-1]) < 1e-5


@pytest.mark.parametrize(("name", "optimiser"), [("adam", Adam(1e-3)), ("sgd", SGD(0.1))])
def test_training_is_what_torch_trains(name: str, optimiser: Adam | SGD, torch_answer: dict[str, np.ndarray]) -> None:
    """100 steps and one on a smaller batch, forward, loss, backward and step, end where torch in float64 ends."""
    x, y, order, start = training_problem()
    workload = network(*NETWORKS["relu"].layers, optimiser=optimiser)
    trained, loss, _ = reference.train_steps(workload, start, x, y, order, *PYTORCH)
    theirs = [torch_answer[f"{name}{i}"] for i in range(6)]
    assert relative_error(list(zip(theirs[::2], theirs[1::2], strict=True)), trained) < 1e-11
    assert loss == pytest.approx(float(torch_answer[f"{name}_loss"]), rel=1e-11)


@pytest.mark.parametrize(("index", "mean", "std"), [(i, *scaling) for i, scaling in enumerate(SCALINGS)])
def test_scaling_is_torchvisions_bit_for_bit(
    index: int, mean: float, std: float, torch_answer: dict[str, np.ndarray]
) -> None:
    """``Workload.scale`` gives the bits of ToTensor and Normalize for every byte."""
    workload = Workload("scaled", 0, (Dense(10),), mean, std, 4, 4, 1, Adam(1e-3))
    scaled = workload.scale(EVERY_BYTE)
    assert scaled.dtype == np.float32
    assert scaled.tobytes() == torch_answer[f"scaled{index}"].tobytes()


def test_mean_0_and_std_1_are_totensor_alone(torch_answer: dict[str, np.ndarray]) -> None:
    """The documents that only divide by 255 get the bits of ToTensor."""
    scaled = Workload("scaled", 0, (Dense(10),), 0.0, 1.0, 4, 4, 1, Adam(1e-3)).scale(EVERY_BYTE)
    assert scaled.tobytes() == torch_answer["unscaled"].tobytes()


# As an implementation


@pytest.fixture(scope="module")
def digits() -> Data:
    """2,000 images around ten prototypes of random bytes, and 200 more to test on."""
    rng = np.random.default_rng(RNG_SEED)
    prototypes, labels = rng.integers(64, 192, (10, 28, 28)), rng.integers(0, 10, 2200).astype(np.uint8)
    images = (prototypes[labels] + rng.integers(-64, 64, (2200, 28, 28))).astype(np.uint8)
    return Data(images[:2000], labels[:2000], images[2000:], labels[2000:], Path())


def built(digits: Data, workload: Workload) -> reference.Implementation:
    """An implementation with its data loaded."""
    implementation = reference.Implementation(workload, "cpu", seed=3)
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
    x, start = workload.scale(digits.x_train), reference.initial_weights(workload, np.random.default_rng(RNG_SEED))
    ends = [
        reference.train_steps(workload, start, x, digits.y_train, np.arange(640), *adam)[0] for adam in (PYTORCH, KERAS)
    ]
    origin, pytorch, keras = (np.concatenate([a.ravel() for a in arrays(weights)]) for weights in (start, *ends))
    assert np.linalg.norm(keras - pytorch) > 1e-3 * np.linalg.norm(pytorch - origin)


def test_an_epoch_is_train_steps_on_the_scaled_images(digits: Data) -> None:
    """Two epochs are ``train_steps`` over both orders, Adam not starting again between them."""
    workload = network(Dense(8, "tanh"), Dense(10), batch_size=50)
    implementation, rng = built(digits, workload), np.random.default_rng(RNG_SEED)
    start, orders = implementation.get_weights(), [rng.permutation(2000), rng.permutation(2000)]
    losses = [implementation.train_epoch(order) for order in orders]
    expected, loss, _ = reference.train_steps(
        workload, start, workload.scale(digits.x_train), digits.y_train, np.concatenate(orders), *PYTORCH
    )
    assert relative_error(implementation.weights, expected) == 0
    assert sum(losses) / 2 == pytest.approx(loss, rel=1e-14)


def test_weights_come_back_as_they_were_set(digits: Data, rng: np.random.Generator) -> None:
    """Float32 in, the same bits out, in arrays of their own."""
    implementation = built(digits, NETWORKS["relu"])
    given = reference.initial_weights(NETWORKS["relu"], rng)
    implementation.set_weights(given)
    implementation.get_weights()[0][0][:] = 0.0
    for back, gave in zip(arrays(implementation.get_weights()), arrays(given), strict=True):
        assert back.dtype == np.float32
        assert back.tobytes() == gave.tobytes()


def test_without_weights_it_starts_from_its_seed() -> None:
    """An implementation that is given no weights starts from ``initial_weights`` of its seed."""
    workload = NETWORKS["relu"]
    own = reference.Implementation(workload, "cpu", 11).get_weights()
    assert relative_error(own, reference.initial_weights(workload, np.random.default_rng(11))) == 0


def test_predict_is_forward_over_all_test_images(digits: Data) -> None:
    """Float32 logits of every test image, the last slice being smaller."""
    workload = NETWORKS["relu"]
    implementation = built(digits, workload)
    logits = implementation.predict()
    expected, _ = reference.forward(workload, implementation.get_weights(), workload.scale(digits.x_test))
    assert len(digits.x_test) % workload.test_batch_size != 0
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_it_runs_on_the_cpu_only(device: str) -> None:
    """Any other device is refused in one line that names it."""
    with pytest.raises(Unavailable, match=f"^reference-numpy cannot use device '{device}'.*$"):
        reference.Implementation(LINEAR, device, 0)


def test_it_declares_what_it_runs() -> None:
    """It trains in the given order, with PyTorch's form of Adam, in float64, and has no device to wait for."""
    implementation = reference.Implementation(LINEAR, "cpu", 0)
    assert implementation.takes_order is True
    assert implementation.adam == PYTORCH
    assert implementation.switches == {"dtype": "float64"}
    assert (implementation.sync(), implementation.device_memory()) == (None, None)


def test_its_members_stand_in_the_contracts_order() -> None:
    """The eight members and their order are those of the contract."""
    members = [name for name, member in vars(reference.Implementation).items() if callable(member)]
    assert members == [
        "__init__", "load", "set_weights", "get_weights", "train_epoch", "predict", "sync", "device_memory",
    ]  # fmt: skip
