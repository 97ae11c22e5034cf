"""How records lie in files: with the number of their format; those of an earlier one are brought to today's."""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from bench import files
from bench.display.text import brief
from bench.errors import FcnBenchError

T = TypeVar("T")
FORMAT = 2
"""Of every stored file. Files of format 1 hold no number."""
DAMAGE = (
    ValueError, LookupError, TypeError, ArithmeticError, AttributeError, EOFError, MemoryError, RuntimeError,
    SyntaxError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the readers of JSON, ZIP and NumPy's arrays raise for a file that is not as they expect."""


class Newer(ValueError):
    """A file of a format that only a later version can read."""


@contextmanager
def reading(path: Path, subject: str, otherwise: str, advice: str) -> Iterator[None]:
    """Turn whatever is wrong with a file into an error of one line about ``subject`` that ends with ``advice``.

    ``otherwise`` says what the file is where it is not what it should be. What would be waited for without end, or is
    huge, is not opened.
    """
    try:
        files.check_readable(path)
        yield
    except OSError as error:
        reason = brief(error.strerror or str(error))
        raise FcnBenchError(f"{subject}: cannot be read ({reason}); {advice}") from error
    except Newer as error:
        raise FcnBenchError(f"{subject}: {error}; update fcnbench, or give another directory") from error
    except DAMAGE as error:
        reason = problem(error) if isinstance(error, ValidationError) else str(error) or type(error).__name__
        raise FcnBenchError(f"{subject}: {otherwise} ({brief(reason)}); {advice}") from error


def read(path: Path, kind: Callable[[Mapping[str, Any]], type[T]]) -> T:
    """One record from its file, checked. Raises FcnBenchError."""
    advice = "mend it or move it away, then 'fcnbench run' measures it again"
    with reading(path, str(path), "damaged or of another version", advice):
        return decoded(path.read_bytes(), kind)


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
    try:
        values = upgraded(values)
        checker: TypeAdapter[T] = adapter(kind(values))  # type: ignore[arg-type]  # a class is hashable
        return checker.validate_json(json.dumps(values))
    except ValidationError as error:
        raise ValueError(problem(error)) from error
    except TypeError as error:
        raise ValueError(f"a value of another type ({error})") from error


@cache
def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """What checks a record of this kind; slow to make."""
    return TypeAdapter(kind)


def upgraded(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a stored record as today's format has them, without its number. Raises Newer for a later format.

    Format 1 had fields for each reading (``memory``, ``noise``, the energy of an epoch), one record for all roles with
    ``parts`` and ``sweep``, and called the checks of a verification rungs. Raises TypeError for what is no such record.
    """
    values = dict(stored)
    number = values.pop("format", 1)
    if not isinstance(number, int) or number > FORMAT:
        raise Newer(brief(f"format {number}, this version reads up to {FORMAT}"))
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
    values = {**epoch}
    energy = values.pop("train_energy_j", None)
    return values if energy is None else values | {"readings": {"train_energy_j": energy}}


def problem(error: ValidationError) -> str:
    """The first thing that is wrong with a record, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
