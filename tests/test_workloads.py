"""The documents' networks, row by row, and what is said of each kind of mistake in a user's file."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bench import workloads
from bench.errors import FcnBenchError
from impls.contract import SGD, Adam, Dense, Workload

MEAN, STD = 0.1307, 0.3081


def net(*units: int, activation: Any = "relu") -> tuple[Dense, ...]:
    """Hidden layers with one activation, then ten logits."""
    return (*(Dense(count, activation) for count in units), Dense(10))


# name, document, layers, mean, std, batch, test batch, epochs, optimiser, loss, shuffle, seed: as documents.md has them
DOCUMENTS = [
    ("mlp-128-64", 1, net(128, 64), MEAN, STD, 64, 1000, 5, Adam(1e-3), "cross-entropy", True, None),
    ("mlp-128", 2, net(128), MEAN, STD, 64, 64, 5, Adam(1e-3), "cross-entropy", True, 42),
    ("mlp-64-64-32-32", 3, net(64, 64, 32, 32), 0.0, 1.0, 15, 15, 2, Adam(1e-3), "log-softmax-nll", True, None),
    ("mlp-64-64-64", 3, net(64, 64, 64), 0.0, 1.0, 15, 15, 4, Adam(1e-3), "log-softmax-nll", True, None),
    ("mlp-128-256", 5, net(128, 256), 0.0, 1.0, 64, 64, 10, Adam(5e-3), "cross-entropy", False, None),
    ("mlp-128-256-sgd", 5, net(128, 256), 0.0, 1.0, 64, 64, 10, SGD(0.1), "cross-entropy", False, None),
    (
        "mlp-128-256-sigmoid", 5, net(128, 256, activation="sigmoid"), 0.0, 1.0, 64, 64, 10, Adam(5e-3),
        "cross-entropy", False, None,
    ),
]  # fmt: skip
PARAMETERS = {
    "mlp-128-64": 109_386,  # 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10
    "mlp-128": 101_770,
    "mlp-64-64-32-32": 57_866,
    "mlp-64-64-64": 59_210,
    "mlp-128-256": 136_074,
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
        workloads.load(path)
    line = str(refused.value)
    assert "\n" not in line and str(path) in line
    return line


@pytest.mark.parametrize("row", DOCUMENTS, ids=lambda row: row[0])
def test_a_documents_network_is_as_the_document_states_it(row: tuple[Any, ...]) -> None:
    """Layers, scaling, batches, epochs, optimiser, loss, shuffling and seed."""
    found = workloads.load()[row[0]]
    assert found == Workload(*row, note=found.note)


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_a_network_has_as_many_parameters_as_its_layers_say(name: str, count: int) -> None:
    """Counted by hand."""
    assert workloads.load()[name].parameters == count


def test_what_a_document_leaves_open_is_said_in_a_note() -> None:
    """The learning rate of SGD is our choice."""
    assert "0.1" in workloads.load()["mlp-128-256-sgd"].note


def test_networks_come_in_the_files_order() -> None:
    """That of the documents, so that lists and reports have it too."""
    documents = [found.document for found in workloads.load().values()]
    assert documents == sorted(documents)


def test_a_users_network_needs_only_what_has_no_default(write: Write) -> None:
    """Scaling to 0..1, batches of 1000 in testing, cross-entropy, shuffled, no seed of its own, no document."""
    expected = Workload("net", 0, (Dense(8, "tanh"), Dense(10)), 0.0, 1.0, 20, 1000, 2, SGD(0.1))
    assert workloads.load(write()) == {"net": expected}


def test_a_network_survives_its_way_to_the_worker() -> None:
    """As a dictionary and back, it is the same."""
    for found in workloads.load().values():
        assert Workload.from_dict(asdict(found)) == found


def test_whole_numbers_will_do_where_fractions_may_stand(write: Write) -> None:
    """``mean = 0`` is no mistake."""
    found = workloads.load(write(mean="0", std="2", optimiser="{ kind = 'adam', learning_rate = 1 }"))["net"]
    assert (found.mean, found.std, found.optimiser) == (0.0, 2.0, Adam(1.0))


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
    ("optimiser", "{ kind = 'sgd', learning_rate = 1, momentum = 1 }", "net.optimiser.momentum", "not a known key"),
    ("layers", "[]", "net.layers is []", "at least one"),
    ("layers", "128", "net.layers is 128", "list"),
    ("layers", "[10]", "net.layers.0 is 10", "a table"),
    ("layers", "[{ units = 0 }, { units = 10 }]", "net.layers.0.units is 0", "greater than or equal to 1"),
    ("layers", "[{ units = 8, activation = 'gelu' }, { units = 10 }]", "net.layers.0.activation is 'gelu'", "'tanh'"),
    ("layers", "[{ unit = 10 }]", "net.layers.0.units", "is missing"),
    ("layers", "[{ units = 10, bias = false }]", "net.layers.0.bias", "not a known key"),
    ("layers", "[{ units = 128 }]", "128 linear", "10 units"),
    ("layers", "[{ units = 10, activation = 'relu' }]", "10 relu", "no activation"),
    ("bach_size", "64", "net.bach_size", "not a known key"),
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
