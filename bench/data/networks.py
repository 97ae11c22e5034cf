"""The networks that can be trained: the documents' own, and those of a user's file in the same form."""

import tomllib
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from bench.errors import FcnBenchError
from impls.workload import SGD, Activation, Adam, Conv, Dense, Dropout, Layer, Pool, Workload

OWN = Path(__file__).with_name("workloads.toml")
LAYER_KINDS = (
    "'dense' (the default), 'conv', 'pool' or 'dropout'; activations are keys of dense and conv, and dense flattens"
)
EXPECTED = {
    "model_type": "a table",
    "model_attributes_type": "a table",
    "too_short": "at least one item",
    "union_tag_not_found": f"a table; its kind is {LAYER_KINDS}",
}
"""Where the validator's own words are about Python and not about TOML."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Refuses keys that nothing reads and values of another type, so that a typing error is not silently a default."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DenseTable(Strict):
    """A fully connected layer, as the file gives it; ``inputs`` is only checked."""

    kind: Literal["dense"] = "dense"
    units: Count
    inputs: Count | None = None
    activation: Activation = "linear"

    def layer(self) -> Layer:
        """The layer of the contract."""
        return Dense(self.units, self.activation)


class ConvTable(Strict):
    """A convolution, as the file gives it."""

    kind: Literal["conv"]
    filters: Count
    size: Count
    padding: Annotated[int, Field(ge=0)] = 0
    activation: Activation = "linear"

    def layer(self) -> Layer:
        """The layer of the contract."""
        return Conv(self.filters, self.size, self.padding, self.activation)


class PoolTable(Strict):
    """A pooling, as the file gives it."""

    kind: Literal["pool"]
    size: Annotated[int, Field(ge=2)]

    def layer(self) -> Layer:
        """The layer of the contract."""
        return Pool(self.size)


class DropoutTable(Strict):
    """A dropout, as the file gives it."""

    kind: Literal["dropout"]
    rate: Annotated[float, Field(gt=0, lt=1)]

    def layer(self) -> Layer:
        """The layer of the contract."""
        return Dropout(self.rate)


def kind_of(layer: Any) -> Any:
    """What decides which of the tables a layer is; None for what is no table."""
    return layer.get("kind", "dense") if isinstance(layer, dict) else getattr(layer, "kind", None)


LayerTable = Annotated[
    Annotated[DenseTable, Tag("dense")]
    | Annotated[ConvTable, Tag("conv")]
    | Annotated[PoolTable, Tag("pool")]
    | Annotated[DropoutTable, Tag("dropout")],
    Discriminator(kind_of),
]


class AdamTable(Strict):
    """Adam, as the file gives it."""

    kind: Literal["adam"]
    learning_rate: Positive

    def optimiser(self) -> Adam | SGD:
        """The optimiser of the contract."""
        return Adam(self.learning_rate)


class SGDTable(Strict):
    """SGD, as the file gives it."""

    kind: Literal["sgd"]
    learning_rate: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def optimiser(self) -> Adam | SGD:
        """The optimiser of the contract."""
        return SGD(self.learning_rate, self.momentum)


class WorkloadTable(Strict):
    """One workload, as the file gives it; the name is the table's."""

    document: Annotated[int, Field(ge=0)] = 0
    layers: Annotated[list[LayerTable], Field(min_length=1)]
    mean: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    std: Positive = 1.0
    batch_size: Count
    test_batch_size: Count = 1000
    epochs: Count
    optimiser: Annotated[AdamTable | SGDTable, Field(discriminator="kind")]
    loss: Literal["cross-entropy", "log-softmax-nll"] = "cross-entropy"
    shuffle: bool = True
    seed: Annotated[int, Field(ge=0)] | None = None
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    evaluate_every: Annotated[int, Field(ge=0)] = 0
    note: str = ""


def load(path: Path = OWN) -> dict[str, Workload]:
    """The workloads of a TOML file by name, in the file's order.

    Raises FcnBenchError with one line that names file, key, value and expectation.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FcnBenchError(f"workload file {path}: cannot be read ({error}); give a readable TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise FcnBenchError(f"workload file {path}: not valid TOML: {error}; mend that line") from error
    if not tables:
        raise FcnBenchError(f"workload file {path}: no workload in it; expected tables like [my-network]")
    return {name: workload(name, table, path) for name, table in tables.items()}


def workload(name: str, table: Any, path: Path) -> Workload:
    """One table of the file as a Workload, checked."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise FcnBenchError(f"workload file {path}: name {name!r}: expected letters, digits, - and _ only")
    try:
        checked = WorkloadTable.model_validate(table)
    except ValidationError as error:
        raise FcnBenchError(f"workload file {path}: {explain(name, error)}") from error
    layers = tuple(layer.layer() for layer in checked.layers)
    made = Workload(name, **{**dict(checked), "layers": layers, "optimiser": checked.optimiser.optimiser()})
    where = f"workload file {path}: {name}.layers"
    try:
        shapes = made.shapes
    except ValueError as error:
        raise FcnBenchError(f"{where}.{error}") from error
    for position, (layer, before) in enumerate(zip(checked.layers, shapes[:-1], strict=True)):
        given = layer.inputs if isinstance(layer, DenseTable) else None
        if given not in (None, prod(before)):
            arriving = "x".join(map(str, before))
            raise FcnBenchError(
                f"{where}.{position}.inputs is {given}, expected {prod(before)}: {arriving} arrive there"
            )
    if layers[-1] != Dense(10):
        raise FcnBenchError(
            f"{where}: the last layer is {describe(layers[-1])}, expected 10 units and no activation (one logit for "
            "each digit; the loss adds the softmax)"
        )
    if made.evaluate_every and not made.validation:
        raise FcnBenchError(
            f"workload file {path}: {name}.evaluate_every is {made.evaluate_every}, but no validation images are held "
            "out: give validation = 0.1, say"
        )
    return made


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


def explain(name: str, error: ValidationError) -> str:
    """The first mistake that was found, on one line: key, value, expectation."""
    first = error.errors()[0]
    where = first["loc"]
    tags = [i + 1 for i, part in enumerate(where) if isinstance(part, int) or part == "optimiser"]
    parts = [str(part) for i, part in enumerate(where) if i not in tags]  # without the validator's names for its tables
    key = " ".join(".".join([name, *parts]).split())  # a quoted key may hold line ends
    if first["type"] == "missing":
        return f"{key} is missing: add it"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a known key: remove it or mend its name"
    if first["type"] == "union_tag_invalid":
        expected = LAYER_KINDS if "layers" in parts else "'adam' or 'sgd'"
        return f"{key}.kind is {first['input']['kind']!r}, expected {expected}"
    if first["type"] == "union_tag_not_found" and "layers" not in parts:
        return f'{key}.kind is missing: add kind = "adam" or "sgd"'
    expected = EXPECTED.get(first["type"], first["msg"].removeprefix("Input should be "))
    return f"{key} is {first['input']!r}, expected {expected}"
