"""Trained networks that are kept: read, checked, and told which result they belong to. No framework is needed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import FcnBenchError
from bench.store import archive, formats
from bench.store.records.training import TrainingResult
from impls import portable
from impls.contract import Weights
from impls.workload import Workload

WORKLOAD = TypeAdapter(Workload)


@dataclass(frozen=True)
class Model:
    """A network, its weights, and who trained it with which versions; ``accuracy`` (0 to 1) where a result says it."""

    name: str
    workload: Workload
    weights: Weights
    implementation: str
    framework: str
    versions: Mapping[str, str] = field(default_factory=dict)
    accuracy: float | None = None


def load(path: Path, accuracy: float | None = None) -> Model:
    """Read a portable file. Raises FcnBenchError, with what is wrong, for what is none; nothing in it is executed."""
    with reading(path):
        about, weights = portable.load(path)
        try:
            workload = WORKLOAD.validate_json(json.dumps(about["workload"]))
        except ValidationError as error:
            raise ValueError(f"describes no network: {formats.problem(error)}") from error
        check(workload, weights)
        texts = {name: str(about[name]) for name in ("implementation", "framework")}
        versions = {str(name): str(value) for name, value in dict(about["versions"]).items()}
        odd = [text for text in (*texts.values(), *versions.values(), workload.name) if not text.isprintable()]
        if odd:
            raise ValueError(f"{odd[0]!r} is no name")
    return Model(path.stem, workload, weights, texts["implementation"], texts["framework"], versions, accuracy)


def check(workload: Workload, weights: Weights) -> None:
    """Raise ValueError unless these are the weights of this network, in float32, and it tells ten digits apart."""
    portable.check(workload, weights)
    if workload.shapes[-1] != (10,):
        raise ValueError(f"{workload.name} ends in {workload.shapes[-1]}, expected 10 logits")
    kinds = {str(array.dtype) for pair in weights for array in pair}
    if kinds != {"float32"}:
        raise ValueError(f"its weights are {', '.join(sorted(kinds))}, expected float32")


def reading(path: Path) -> AbstractContextManager[None]:
    """Turn whatever a file that is no model leads to into one line that names it."""
    return formats.reading(path, f"model {path}", "not a model of fcnbench", "give a file of models/")


def of_results(directory: Path, results: Sequence[TrainingResult]) -> list[Model]:
    """The networks that these results name, as far as their files are here. Raises FcnBenchError for a changed one."""
    found = []
    for result in results:
        path = archive.model_path(directory, result)
        if path and path.exists():
            with reading(path):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest != result.model:
                raise FcnBenchError(f"model {path}: is not the one that was trained; move it away")
            found.append(load(path, result.trained.accuracy if result.trained else None))
    return found
