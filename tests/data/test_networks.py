"""The documents' networks, row by row, and what is said of each kind of mistake in a user's file."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bench.data import networks, tutorials
from bench.errors import FcnBenchError
from impls.workload import SGD, Adam, Conv, Dense, Dropout, Pool, Workload

MEAN, STD = 0.1307, 0.3081


def net(*units: int, activation: Any = "relu") -> tuple[Dense, ...]:
    """Hidden layers with one activation, then ten logits."""
    return (*(Dense(count, activation) for count in units), Dense(10))


DROPOUT = (Dense(128, "relu"), Dropout(0.5), Dense(64, "relu"), Dense(10))
CNN = (Conv(32, 5, 2, "relu"), Pool(2), Conv(64, 5, 2, "relu"), Pool(2), Dense(1000), Dense(10))
HELD_OUT = {"cnn-32-64": {"validation": 0.1, "evaluate_every": 300}}
# name, document, layers, mean, std, batch, test batch, epochs, optimiser, loss, shuffle, seed: as documents.md has them
DOCUMENTS = [
    ("mlp-128-64", 1, net(128, 64), MEAN, STD, 64, 1000, 5, Adam(1e-3), "cross-entropy", True, None),
    ("mlp-128-64-dropout", 1, DROPOUT, MEAN, STD, 64, 1000, 5, Adam(1e-3), "cross-entropy", True, None),
    ("mlp-128", 2, net(128), MEAN, STD, 64, 64, 5, Adam(1e-3), "cross-entropy", True, 42),
    ("mlp-64-64-32-32", 3, net(64, 64, 32, 32), 0.0, 1.0, 15, 15, 2, Adam(1e-3), "log-softmax-nll", True, None),
    ("mlp-64-64-64", 3, net(64, 64, 64), 0.0, 1.0, 15, 15, 4, Adam(1e-3), "log-softmax-nll", True, None),
    ("cnn-32-64", 4, CNN, MEAN, 0.3008, 64, 64, 5, Adam(1e-3), "cross-entropy", True, None),
    ("mlp-128-256", 5, net(128, 256), 0.0, 1.0, 64, 64, 10, Adam(5e-3), "cross-entropy", False, None),
    ("mlp-128-256-sgd", 5, net(128, 256), 0.0, 1.0, 64, 64, 10, SGD(0.1), "cross-entropy", False, None),
    (
        "mlp-128-256-sigmoid", 5, net(128, 256, activation="sigmoid"), 0.0, 1.0, 64, 64, 10, Adam(5e-3),
        "cross-entropy", False, None,
    ),
]  # fmt: skip
PARAMETERS = {
    "mlp-128-64": 109_386,  # 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10
    "mlp-128-64-dropout": 109_386,
    "mlp-128": 101_770,
    "mlp-64-64-32-32": 57_866,
    "mlp-64-64-64": 59_210,
    "cnn-32-64": 3_199_106,  # 5*5*32 + 32 + 5*5*32*64 + 64 + 3136*1000 + 1000 + 1000*10 + 10
    "mlp-128-256": 136_074,
    "mlp-128-256-sgd": 136_074,
    "mlp-128-256-sigmoid": 136_074,
}
GOOD = {
    "layers": "[{ units = 8, activation = 'tanh' }, { units = 10 }]",
    "batch_size": "20",
    "epochs": "2",
    "optimiser": "{ kind = 'sgd', learning_rate = 0.1 }",
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(key="value", ...)``: a file with one good workload, ``net``, but for these keys; None leaves one out."""

    def write(**changes: str | None) -> Path:
        path = tmp_path / "mine.toml"
        lines = [f"{key} = {value}" for key, value in (GOOD | changes).items() if value is not None]
        path.write_text("\n".join(["[net]", *lines]))
        return path

    return write


def refusal(path: Path) -> str:
    """The one line that a user is shown."""
    with pytest.raises(FcnBenchError) as refused:
        networks.load(path)
    line = str(refused.value)
    assert "\n" not in line and str(path) in line
    return line


@pytest.mark.parametrize("row", DOCUMENTS, ids=lambda row: row[0])
def test_a_documents_network_is_as_the_document_states_it(row: tuple[Any, ...]) -> None:
    """Layers, scaling, batches, epochs, optimiser, loss, shuffling, seed and what is held out."""
    found = tutorials.networks()[row[0]]
    assert found == Workload(*row, **HELD_OUT.get(row[0], {}), note=found.note)


def test_no_network_goes_unread() -> None:
    """The rows above and the parameters counted by hand are of all networks in the file."""
    assert [row[0] for row in DOCUMENTS] == list(tutorials.networks())
    assert list(PARAMETERS) == list(tutorials.networks())


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_a_network_has_as_many_parameters_as_its_layers_say(name: str, count: int) -> None:
    """Counted by hand."""
    assert tutorials.networks()[name].parameters == count


def test_what_a_document_leaves_open_is_said_in_a_note() -> None:
    """The learning rate of SGD; what the document of the convolutions does not state, and what it miscounts."""
    assert "0.1" in tutorials.networks()["mlp-128-256-sgd"].note
    assert all(word in tutorials.networks()["cnn-32-64"].note for word in ("3136", "Adam 1e-3", "EVALUATION_FREQ"))


def test_networks_come_in_the_files_order() -> None:
    """That of the documents, so that lists and reports have it too."""
    documents = [found.document for found in tutorials.networks().values()]
    assert documents == sorted(documents)


def test_a_users_network_needs_only_what_has_no_default(write: Write) -> None:
    """Scaling to 0..1, batches of 1000 in testing, cross-entropy, shuffled, no seed of its own, no document."""
    expected = Workload("net", 0, (Dense(8, "tanh"), Dense(10)), 0.0, 1.0, 20, 1000, 2, SGD(0.1))
    assert networks.load(write()) == {"net": expected}


def test_a_network_survives_its_way_to_the_worker() -> None:
    """As a dictionary and back, it is the same."""
    for found in tutorials.networks().values():
        assert Workload.from_dict(asdict(found)) == found


def test_whole_numbers_will_do_where_fractions_may_stand(write: Write) -> None:
    """``mean = 0`` is no mistake."""
    found = networks.load(write(mean="0", std="2", optimiser="{ kind = 'adam', learning_rate = 1 }"))["net"]
    assert (found.mean, found.std, found.optimiser) == (0.0, 2.0, Adam(1.0))


def test_a_users_network_may_have_every_kind_of_layer(write: Write) -> None:
    """Each table becomes the layer of its kind, with padding 0 and no activation where none is given."""
    layers = """[
        { kind = "conv", filters = 4, size = 3 }, { kind = "conv", filters = 6, size = 3, padding = 2, activation = "tanh" },
        { kind = "pool", size = 3 }, { kind = "dropout", rate = 0.25 },
        { kind = "dense", units = 8, inputs = 486 }, { units = 10, inputs = 8 },
    ]""".replace("\n", "")
    found = networks.load(write(layers=layers))["net"]
    assert found.layers == (Conv(4, 3), Conv(6, 3, 2, "tanh"), Pool(3), Dropout(0.25), Dense(8), Dense(10))


def test_sgd_may_have_momentum(write: Write) -> None:
    """It is read from the optimiser's table, and 0 where it is not there."""
    assert networks.load(write(optimiser="{ kind = 'sgd', learning_rate = 0.1, momentum = 0.9 }"))[
        "net"
    ].optimiser == SGD(0.1, 0.9)
    assert networks.load(write())["net"].optimiser == SGD(0.1, 0.0)


def test_a_users_network_may_hold_images_out(write: Write) -> None:
    """A share alone, or with a number of batches after which they are looked at."""
    assert networks.load(write(validation="0.25"))["net"].validation == 0.25
    assert networks.load(write(validation="0.25", evaluate_every="20"))["net"].evaluate_every == 20


WORDS = [
    (Dense(128, "relu"), "128 relu"),
    (Dense(10), "10"),
    (Conv(32, 5, 2, "relu"), "conv 32 5x5 pad 2 relu"),
    (Conv(8, 3), "conv 8 3x3"),
    (Pool(2), "max-pool 2"),
    (Dropout(0.5), "dropout 0.5"),
    (Adam(1e-3), "adam 0.001"),
    (SGD(0.1), "sgd 0.1"),
    (SGD(0.1, 0.9), "sgd 0.1 momentum 0.9"),
]


@pytest.mark.parametrize(("part", "words"), WORDS)
def test_a_layer_or_optimiser_is_described_in_a_few_words(part: Any, words: str) -> None:
    """What is at its default is left out."""
    assert (networks.describe_optimiser if isinstance(part, Adam | SGD) else networks.describe)(part) == words


def ending(*layers: str) -> str:
    """These layers and ten logits."""
    return f"[{', '.join(layers)}, {{ units = 10 }}]"


CONV, POOL = "{ kind = 'conv', filters = 2, size = 3 }", "{ kind = 'pool', size = 2 }"
MISTAKES = [
    ("batch_size", None, "net.batch_size", "is missing"),
    ("layers", None, "net.layers", "is missing"),
    ("optimiser", None, "net.optimiser", "is missing"),
    ("epochs", None, "net.epochs", "is missing"),
    ("batch_size", "0", "net.batch_size is 0", "greater than or equal to 1"),
    ("batch_size", "-64", "net.batch_size is -64", "greater than or equal to 1"),
    ("batch_size", "64.0", "net.batch_size is 64.0", "integer"),
    ("batch_size", '"64"', "net.batch_size is '64'", "integer"),
    ("batch_size", "true", "net.batch_size is True", "integer"),
    ("test_batch_size", "0", "net.test_batch_size is 0", "greater than or equal to 1"),
    ("epochs", "0", "net.epochs is 0", "greater than or equal to 1"),
    ("epochs", "2024-01-01", "net.epochs is", "integer"),
    ("mean", "nan", "net.mean is nan", "finite"),
    ("mean", '"0.13"', "net.mean is '0.13'", "number"),
    ("std", "0", "net.std is 0", "greater than 0"),
    ("std", "-0.3", "net.std is -0.3", "greater than 0"),
    ("std", "inf", "net.std is inf", "finite"),
    ("shuffle", '"no"', "net.shuffle is 'no'", "boolean"),
    ("shuffle", "0", "net.shuffle is 0", "boolean"),
    ("seed", "-1", "net.seed is -1", "greater than or equal to 0"),
    ("seed", "1.5", "net.seed is 1.5", "integer"),
    ("document", "-1", "net.document is -1", "greater than or equal to 0"),
    ("note", "3", "net.note is 3", "string"),
    ("loss", '"mse"', "net.loss is 'mse'", "'cross-entropy' or 'log-softmax-nll'"),
    ("optimiser", '"adam"', "net.optimiser is 'adam'", "a table"),
    ("optimiser", "{ kind = 'rmsprop', learning_rate = 0.1 }", "net.optimiser.kind is 'rmsprop'", "'adam' or 'sgd'"),
    ("optimiser", "{ kind = 'sgd' }", "net.optimiser.learning_rate", "is missing"),
    ("optimiser", "{ kind = 'sgd', learning_rate = 0 }", "net.optimiser.learning_rate is 0", "greater than 0"),
    ("optimiser", "{ kind = 'sgd', learning_rate = inf }", "net.optimiser.learning_rate is inf", "finite"),
    ("optimiser", "{ kind = 'sgd', learning_rate = 1, momentum = 1 }", "optimiser.momentum is 1", "less than 1"),
    ("optimiser", "{ kind = 'sgd', learning_rate = 1, momentum = -0.1 }", "optimiser.momentum is -0.1", "equal to 0"),
    ("optimiser", "{ kind = 'adam', learning_rate = 1, momentum = 0.9 }", "net.optimiser.momentum", "not a known key"),
    ("optimiser", "{ learning_rate = 1 }", "net.optimiser.kind is missing", '"adam" or "sgd"'),
    ("validation", "1", "net.validation is 1", "less than 1"),
    ("evaluate_every", "200", "net.evaluate_every is 200", "validation = 0.1"),
    ("evaluate_every", "-1", "net.evaluate_every is -1", "greater than or equal to 0"),
    ("dtype", "'float64'", "net.dtype", "not a known key"),
    ("layers", "[]", "net.layers is []", "at least one"),
    ("layers", "128", "net.layers is 128", "list"),
    ("layers", "[10]", "net.layers.0 is 10", "a table"),
    ("layers", ending("128"), "net.layers.0 is 128", "a table"),
    ("layers", ending("{ kind = 'lstm', units = 3 }"), "net.layers.0.kind is 'lstm'", "'conv', 'pool' or 'dropout'"),
    ("layers", ending("{ units = 8 }", POOL), "net.layers.1: pool needs an image", "8 numbers arrive"),
    ("layers", ending(CONV.replace("3", "29")), "net.layers.0: conv of size 29", "larger than the 28x28 image"),
    ("layers", ending(*[POOL] * 5), "net.layers.4: pool of size 2", "larger than the 1x1 image"),
    (
        "layers",
        ending(CONV.replace(" }", ", padding = 3 }")),
        "net.layers.0: conv of size 3 has padding 3",
        "at most 2",
    ),
    ("layers", ending(CONV.replace(" }", ", padding = -1 }")), "net.layers.0.padding is -1", "equal to 0"),
    ("layers", ending(CONV.replace("size = 3", "size = 0")), "net.layers.0.size is 0", "equal to 1"),
    ("layers", ending(CONV.replace(", size = 3", "")), "net.layers.0.size is missing", "add it"),
    ("layers", ending(CONV.replace(" }", ", stride = 2 }")), "net.layers.0.stride", "not a known key"),
    ("layers", ending("{ kind = 'pool', size = 0 }"), "net.layers.0.size is 0", "equal to 2"),
    ("seed", "9223372036854775808", "net.seed is 9223372036854775808", "less than 2^32"),
    ("epochs", "9" * 4000, "net.epochs is 999", "less than 2^63"),
    ("layers", ending("{ kind = 'pool', size = 1 }"), "net.layers.0.size is 1", "equal to 2"),
    ("layers", "[{ units = 10, inputs = 785 }]", "net.layers.0.inputs is 785, expected 784", "784 arrive"),
    (
        "layers",
        ending(POOL, "{ units = 8, inputs = 784 }"),
        "net.layers.1.inputs is 784, expected 196",
        "14x14x1 arrive",
    ),
    ("layers", ending("{ kind = 'dropout', rate = 0 }"), "net.layers.0.rate is 0", "greater than 0"),
    ("layers", ending("{ kind = 'dropout', rate = 1 }"), "net.layers.0.rate is 1", "less than 1"),
    ("layers", ending("{ kind = 'dropout', rate = 1.5 }"), "net.layers.0.rate is 1.5", "less than 1"),
    ("layers", ending("{ kind = 'dropout' }"), "net.layers.0.rate is missing", "add it"),
    ("layers", "[{ units = 0 }, { units = 10 }]", "net.layers.0.units is 0", "greater than or equal to 1"),
    ("layers", "[{ units = 8, activation = 'gelu' }, { units = 10 }]", "net.layers.0.activation is 'gelu'", "'tanh'"),
    ("layers", "[{ unit = 10 }]", "net.layers.0.units", "is missing"),
    ("layers", "[{ units = 10, bias = false }]", "net.layers.0.bias", "not a known key"),
    ("layers", "[{ units = 128 }]", "is 128, expected 10 units", "no activation"),
    ("layers", "[{ units = 10, activation = 'relu' }]", "10 relu", "no activation"),
    ("layers", "[{ units = 10 }, { kind = 'dropout', rate = 0.5 }]", "is dropout 0.5", "10 units"),
    ("layers", f"[{CONV}]", "is conv 2 3x3", "10 units"),
    ("bach_size", "64", "net.bach_size", "not a known key"),
    ("Adam", "1", "net.Adam", "not a known key"),
    ("name", "'other'", "net.name", "not a known key"),
    ("optimiser", "{ kind = 'sgd', learning_rate = 1, Adam = 1 }", "net.optimiser.Adam", "not a known key"),
    ("layers", "[{ units = 10, Conv = 1 }]", "net.layers.0.Conv", "not a known key"),
    ('"two\\nlines"', "1", "net.two lines", "not a known key"),
]


@pytest.mark.parametrize(("key", "value", "what", "expected"), MISTAKES)
def test_a_mistake_is_told_with_key_value_and_expectation(
    write: Write, key: str, value: str | None, what: str, expected: str
) -> None:
    """On one line, with the file; a value of another type is not quietly taken for one of the right type."""
    line = refusal(write(**{key: value}))
    assert what in line and expected in line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "no workload"),
        (b"# only a comment", "no workload"),
        (b"[net", "not valid TOML"),
        (b"[net]\nepochs = \n", "line 2"),
        (b"[net]\n[net]\n", "not valid TOML"),
        (b"\xff\xfe", "cannot be read"),
        (b"epochs = 5", "epochs is 5, expected a table"),
        (b"[[net]]\n", "expected a table"),
        (b"['a net']\n", "'a net'"),
        (b"['../net']\n", "'../net'"),
        (b'["a\\nnet"]\n', "letters, digits"),
        (b"['']\n", "letters, digits"),
        (b"[" + b"n" * 300 + b"]\n", "at most 60 bytes"),
        (b"[net]\nepochs = " + b"9" * 5000, "not valid TOML"),
        (b"[net]\nepochs = 0x" + b"f" * 20_000, "not valid TOML"),
        (b"x = " + b"[" * 3000, "not valid TOML"),
        (b"x = " + b"[" * 300 + b"]" * 300, "not valid TOML"),
    ],
)
def test_a_file_that_holds_no_networks_says_what_it_holds(tmp_path: Path, content: bytes, expected: str) -> None:
    """Nothing, no TOML, no text, no table, or a name that could not become a file's."""
    (tmp_path / "mine.toml").write_bytes(content)
    assert expected in refusal(tmp_path / "mine.toml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """One that is not there, and a directory."""
    assert "No such file" in refusal(tmp_path / "none.toml")
    assert "Is a directory" in refusal(tmp_path)
