"""How records lie in files: with the number of their format; those of an earlier one are brought to today's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from bench.errors import FcnBenchError

T = TypeVar("T")
FORMAT = 2
"""Of every stored file. Files of format 1 hold no number."""


class Newer(ValueError):
    """A file of a format that only a later version can read."""


def encoded(record: Any) -> str:
    """A record as its file holds it. Raises ValueError for numbers that JSON does not have."""
    return json.dumps({"format": FORMAT, **asdict(record)}, indent=1, allow_nan=False) + "\n"


def decoded(content: bytes | str, kind: Callable[[Mapping[str, Any]], type[T]]) -> T:
    """The record in a file's content, checked; ``kind`` says from its values which record it is.

    Raises ValueError, with the first thing that is wrong and where.
    """
    values = from_json(content, allow_inf_nan=False)
    if not isinstance(values, dict):
        raise ValueError(f"expected an object, found {type(values).__name__}")
    return checked(values, kind)


def checked(values: Mapping[str, Any], kind: Callable[[Mapping[str, Any]], type[T]]) -> T:
    """As :func:`decoded`, of an object that was read already."""
    values = upgraded(values)
    try:
        checker: TypeAdapter[T] = adapter(kind(values))  # type: ignore[arg-type]  # a class is hashable
        return checker.validate_json(json.dumps(values))
    except ValidationError as error:
        raise ValueError(problem(error)) from error


@cache
def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """What checks a record of this kind; slow to make."""
    return TypeAdapter(kind)


def upgraded(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a stored record as today's format has them, without its number. Raises Newer for a later format.

    Format 1 had fields for each reading (``memory``, ``noise``, the energy of an epoch), one record for all roles with
    ``parts`` and ``sweep``, and called the checks of a verification rungs.
    """
    values = dict(stored)
    number = values.pop("format", 1)
    if not isinstance(number, int) or number > FORMAT:
        raise Newer(f"format {number}, this version reads up to {FORMAT}")
    if number > 1:
        return values
    if "cell" in values:
        values["readings"] = {**(values.pop("memory", None) or {}), **(values.pop("noise", None) or {})}
        values["points"] = values.pop("sweep", ())
        values["epochs"] = [with_readings(epoch) for epoch in values.get("epochs", ())]
    if "rungs" in values:
        values["checks"] = values.pop("rungs")
    return values


def with_readings(epoch: Mapping[str, Any]) -> dict[str, Any]:
    """An epoch of format 1 with its energy among its readings."""
    values = dict(epoch)
    energy = values.pop("train_energy_j", None)
    return values if energy is None else values | {"readings": {"train_energy_j": energy}}


def read(path: Path, kind: Callable[[Mapping[str, Any]], type[T]]) -> T:
    """One record from its file, checked. Raises FcnBenchError."""
    try:
        return decoded(path.read_bytes(), kind)
    except OSError as error:
        raise FcnBenchError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
    except Newer as error:
        raise FcnBenchError(f"{path}: {error}; update fcnbench, or give another directory") from error
    except ValueError as error:
        raise FcnBenchError(
            f"{path}: damaged or of another version ({error}); move it away, then 'fcnbench run' measures it again"
        ) from error


def problem(error: ValidationError) -> str:
    """The first thing that is wrong with a record, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
