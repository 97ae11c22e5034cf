"""Networks in TOML files: the tutorials' and those of a user's own file have the same form."""

import json
import re
import tomllib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from bench import files
from bench.display.text import brief
from bench.errors import FcnBenchError
from impls.fields import shown
from impls.workload import SGD, Adam, Conv, Dense, Dropout, Layer, Pool, Workload

WORKLOAD = TypeAdapter(Workload)
DEFAULTS = {"document": 0, "mean": 0.0, "std": 1.0, "test_batch_size": 1000}
"""What a file may leave out although a Workload needs it."""
NOT_IN_FILES = ("name", "dtype", "precision")
"""Fields that the table's heading or an option of the command line decides."""
LAYERS = {"dense": "Dense", "conv": "Conv", "pool": "Pool", "dropout": "Dropout"}
OPTIMISERS = {"adam": "Adam", "sgd": "SGD"}
"""The kinds in a file, and the classes by which the validator's errors name them."""
LAYER_KINDS = (
    "'dense' (the default), 'conv', 'pool' or 'dropout'; activations are keys of dense and conv, and dense flattens"
)
NAME, LONGEST_NAME = re.compile(r"[\w-]+"), 60
"""Of a network; its variants in other sizes and precisions have longer names."""
EXPECTED = {"dataclass_type": "a table", "tuple_type": "a list"}
"""Where the validator's own words are about Python and not about TOML."""


def load(path: Path) -> dict[str, Workload]:
    """The networks of a user's TOML file by name, in the file's order.

    Raises FcnBenchError with one line that names file, key, value and expectation.
    """
    tables = read_toml(path, "workload file")
    if not tables:
        raise FcnBenchError(f"workload file {path}: no workload in it; expected tables like [my-network]")
    return {name: network(name, table, path) for name, table in tables.items()}


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """What a TOML file holds; ``kind`` names it in the FcnBenchError for one that cannot be read."""
    try:
        content = tomllib.loads(files.read_bytes(path).decode())
        from_json(json.dumps(content, default=str))  # which refuses deep nesting and numbers of thousands of digits
    except (OSError, UnicodeDecodeError) as error:
        reason = brief(str(error))
        raise FcnBenchError(f"{kind} {path}: cannot be read ({reason}); give a readable TOML file") from error
    except (ValueError, RecursionError) as error:  # of which TOMLDecodeError is one
        raise FcnBenchError(f"{kind} {path}: not valid TOML: {brief(str(error))}; mend that line") from error
    return content


def network(name: str, table: Any, path: Path) -> Workload:
    """One table of a file as a Workload, checked. Raises FcnBenchError as :func:`load` does."""
    if not NAME.fullmatch(name) or len(name.encode()) > LONGEST_NAME:
        expected = f"letters, digits, - and _ only, at most {LONGEST_NAME} bytes"
        raise FcnBenchError(f"workload file {path}: name {shown(name)}: expected {expected}")
    problem = next(unreadable(name, table), None)
    if problem:
        raise FcnBenchError(f"workload file {path}: {problem}")
    values = DEFAULTS | table | {"name": name}
    if isinstance(values.get("layers"), list):
        values["layers"] = [without_inputs(layer) for layer in values["layers"]]
    try:
        made = WORKLOAD.validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise FcnBenchError(f"workload file {path}: {explain(name, table, error)}") from error
    problem = next(unfit(made, table["layers"]), None)
    if problem:
        raise FcnBenchError(f"workload file {path}: {name}.layers{problem}")
    return made


def without_inputs(layer: Any) -> Any:
    """A layer without ``inputs``, which a dense layer may state and which is only checked."""
    if not isinstance(layer, dict) or layer.get("kind", "dense") != "dense":
        return layer
    return {key: value for key, value in layer.items() if key != "inputs"}


def unreadable(name: str, table: Any) -> Iterator[str]:
    """What keeps a table from being read as a network at all: no table, keys that are not its own, unknown kinds."""
    if not isinstance(table, dict):
        yield f"{name} is {shown(table)}, expected a table"
        return
    for key in NOT_IN_FILES:
        if key in table:
            yield f"{name}.{key} is not a known key: remove it or mend its name"
    layers = table.get("layers")
    for position, layer in enumerate(layers if isinstance(layers, list) else []):
        kind = layer.get("kind", "dense") if isinstance(layer, dict) else "dense"
        if kind not in list(LAYERS):
            yield f"{name}.layers.{position}.kind is {shown(kind)}, expected {LAYER_KINDS}"
    optimiser = table.get("optimiser")
    if isinstance(optimiser, dict) and "kind" not in optimiser:
        yield f'{name}.optimiser.kind is missing: add kind = "adam" or "sgd"'
    if isinstance(optimiser, dict) and optimiser.get("kind") not in list(OPTIMISERS):
        yield f"{name}.optimiser.kind is {shown(optimiser.get('kind'))}, expected 'adam' or 'sgd'"
    if isinstance(optimiser, dict) and optimiser.get("learning_rate") == 0:
        yield f"{name}.optimiser.learning_rate is 0, expected a finite number greater than 0"


def unfit(network: Workload, tables: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with layers that are each as they should be: shapes, stated inputs, the last layer."""
    try:
        shapes = network.shapes
    except ValueError as error:
        yield f".{error}"
        return
    for position, (table, before) in enumerate(zip(tables, shapes[:-1], strict=True)):
        stated = table.get("inputs")
        if stated not in (None, prod(before)):
            arriving = "x".join(map(str, before))
            yield f".{position}.inputs is {shown(stated)}, expected {prod(before)}: {arriving} arrive there"
        if table.get("rate") == 0:
            yield f".{position}.rate is {shown(table['rate'])}, expected a number greater than 0 and less than 1"
    if network.layers[-1] != Dense(10):
        yield (
            f": the last layer is {describe(network.layers[-1])}, expected 10 units and no activation (one logit for "
            "each digit; the loss adds the softmax)"
        )


def explain(name: str, table: dict[str, Any], error: ValidationError) -> str:
    """The first mistake that was found, on one line: key, value, expectation."""
    keys, first = next((keys, item) for item in error.errors() if (keys := keys_of(item["loc"], table)) is not None)
    return mistake(".".join([name, *keys]), first)


def mistake(key: str, first: ErrorDetails) -> str:
    """A validator's error on one line: key, value, expectation."""
    key = brief(key)  # which may hold line ends, where it is quoted
    if first["type"] == "missing":
        return f"{key} is missing: add it"
    if first["type"] == "unexpected_keyword_argument":
        return f"{key} is not a known key: remove it or mend its name"
    if first["type"] == "value_error":  # from the dataclass itself, which names the field
        return f"{key}.{first['ctx']['error']}"
    expected = EXPECTED.get(first["type"], first["msg"].removeprefix("Input should be "))
    return f"{key} is {shown(first['input'])}, expected {brief(expected)}"


def keys_of(where: tuple[int | str, ...], table: dict[str, Any]) -> list[str] | None:
    """The keys of a file that lead to a mistake; None where it is one of a class that the table does not ask for.

    A layer and an optimiser are tried as each of their classes, so that there are mistakes of all of them.
    """
    value: Any = table
    keys = []
    for before, part in zip(("", *where), where, strict=False):
        if isinstance(before, int) or before == "optimiser":  # part is the class that was tried
            if isinstance(value, dict) and part != (LAYERS | OPTIMISERS)[value.get("kind", "dense")]:
                return None
            continue
        keys.append(str(part))
        inside = (isinstance(value, dict) and part in value) or isinstance(value, list)
        value = value[part] if inside else None
    return keys


def describe(layer: Layer) -> str:
    """A layer in a few words: ``128 relu``, ``conv 32 5x5 pad 2 relu``, ``max-pool 2``, ``dropout 0.5``."""
    if isinstance(layer, Pool):
        return f"max-pool {layer.size}"
    if isinstance(layer, Dropout):
        return f"dropout {layer.rate:g}"
    start = str(layer.units) if isinstance(layer, Dense) else f"conv {layer.filters} {layer.size}x{layer.size}"
    padding = f" pad {layer.padding}" if isinstance(layer, Conv) and layer.padding else ""
    return f"{start}{padding}{'' if layer.activation == 'linear' else f' {layer.activation}'}"


def describe_optimiser(optimiser: Adam | SGD) -> str:
    """An optimiser in a few words: ``adam 0.001``, ``sgd 0.1 momentum 0.9``."""
    momentum = f" momentum {optimiser.momentum:g}" if isinstance(optimiser, SGD) and optimiser.momentum else ""
    return f"{optimiser.kind} {optimiser.learning_rate:g}{momentum}"
