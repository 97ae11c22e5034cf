"""The networks that can be trained: the documents' own, and those of a user's file in the same form."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import FcnBenchError
from impls.contract import SGD, Activation, Adam, Dense, Workload

OWN = Path(__file__).with_name("workloads.toml")
EXPECTED = {"model_type": "a table", "too_short": "at least one item"}
"""Where the validator's own words are about Python and not about TOML."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Refuses keys that nothing reads and values of another type, so that a typing error is not silently a default."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DenseTable(Strict):
    """One layer, as the file gives it."""

    units: Count
    activation: Activation = "linear"


class OptimiserTable(Strict):
    """The optimiser, as the file gives it."""

    kind: Literal["adam", "sgd"]
    learning_rate: Positive


class WorkloadTable(Strict):
    """One workload, as the file gives it; the name is the table's."""

    document: Annotated[int, Field(ge=0)] = 0
    layers: Annotated[list[DenseTable], Field(min_length=1)]
    mean: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    std: Positive = 1.0
    batch_size: Count
    test_batch_size: Count = 1000
    epochs: Count
    optimiser: OptimiserTable
    loss: Literal["cross-entropy", "log-softmax-nll"] = "cross-entropy"
    shuffle: bool = True
    seed: Annotated[int, Field(ge=0)] | None = None
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
    if checked.layers[-1] != DenseTable(units=10):
        last = checked.layers[-1]
        raise FcnBenchError(
            f"workload file {path}: {name}.layers: the last layer is {last.units} {last.activation}, expected 10 units "
            "and no activation (one logit for each digit; the loss adds the softmax)"
        )
    values = checked.model_dump()
    optimiser = {"adam": Adam, "sgd": SGD}[checked.optimiser.kind](checked.optimiser.learning_rate)
    layers = tuple(Dense(**layer) for layer in values["layers"])
    return Workload(name=name, **{**values, "layers": layers, "optimiser": optimiser})


def explain(name: str, error: ValidationError) -> str:
    """The first mistake that was found, on one line: key, value, expectation."""
    first = error.errors()[0]
    key = " ".join(".".join([name, *(str(part) for part in first["loc"])]).split())  # a quoted key may hold line ends
    if first["type"] == "missing":
        return f"{key} is missing: add it"
    if first["type"] == "extra_forbidden":
        return f"{key} is not a known key: remove it or mend its name"
    expected = EXPECTED.get(first["type"], first["msg"].removeprefix("Input should be "))
    return f"{key} is {first['input']!r}, expected {expected}"
