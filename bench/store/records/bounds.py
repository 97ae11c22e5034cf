"""What the fields of stored records may hold, as :mod:`impls.fields` has it for all records."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from impls.fields import LARGEST, check

LEAST_S, MOST_S = 1e-9, 1e9
"""A clock counts nanoseconds; nothing takes thirty years."""
WORDS = ("_by", "_source")
"""How the names of readings end that are words; all others are numbers."""
READINGS = {"_s": (0, MOST_S), "_bytes": (0, LARGEST)}
"""The least and the most of readings that are numbers, by how their names end."""
COMPARED_SWITCHES = (
    "takes_order", "initialiser", "adam_epsilon", "last_batch", "precision", "tf32", "threads", "compile", "data",
)  # fmt: skip
"""What the report puts side by side."""


def check_seconds(least: float = LEAST_S, **seconds: float | tuple[float, ...] | None) -> None:
    """Times in seconds, one or several; ``least`` is 0 for what may be too quick for the clock."""
    expected = f"{'a number of 0 or more' if least == 0 else 'a number above 0'}, at most {MOST_S:g}"
    for name, values in seconds.items():
        for value in values if isinstance(values, tuple) else (values,):
            check(value is None or least <= value <= MOST_S, name, value, expected)


def check_shares(**shares: float | None) -> None:
    """Accuracies and the like."""
    for name, value in shares.items():
        check(value is None or 0 <= value <= 1, name, value, "a share from 0 to 1")


def check_moment(**moments: str) -> None:
    """When something was started."""
    for name, value in moments.items():
        try:
            datetime.fromisoformat(value)
        except ValueError:
            check(False, name, value, "date and time like 2026-11-23T01:56:16.544+00:00")


def check_digest(**digests: str) -> None:
    """SHA-256 in hex, or nothing."""
    for name, value in digests.items():
        known = not value or (len(value) == 64 and set(value) <= set("0123456789abcdef"))
        check(known, name, value, "64 hexadecimal digits")


def check_digits(**texts: str) -> None:
    """What images were taken for."""
    for name, text in texts.items():
        check(not text.strip("0123456789"), name, text.strip("0123456789"), "a digit for each image")


def check_device(device: str) -> None:
    """The name of a device."""
    known = re.fullmatch(r"[a-z]{1,8}(:[0-9]{1,3})?", device, re.ASCII)
    check(known is not None, "device", device, "cpu, mps, cuda or cuda:0")


def check_readings(readings: Mapping[str, int | float | str | None]) -> None:
    """What meters read."""
    for name, value in readings.items():
        if name.endswith(WORDS):
            check(value is None or isinstance(value, str), f"readings.{name}", value, "a word")
        elif value is not None:
            least, most = next((bound for end, bound in READINGS.items() if name.endswith(end)), (-LARGEST, LARGEST))
            fits = isinstance(value, int | float) and least <= value <= most
            check(fits, f"readings.{name}", value, f"a number from {least:g} to {most:g}")


def check_switches(switches: Mapping[str, Any]) -> None:
    """What was in force: anything that JSON holds, but for what is compared with others, which has a shape."""
    check_json(switches=switches)
    adam = switches.get("adam")
    pair = isinstance(adam, list | tuple) and len(adam) == 2 and isinstance(adam[1], int | float) and 0 <= adam[1] <= 1
    check(adam is None or pair, "switches.adam", adam, "the name of the form and its epsilon")
    for name in COMPARED_SWITCHES:
        value = switches.get(name)
        number = isinstance(value, int | float) and -LARGEST <= value <= LARGEST
        check(value is None or isinstance(value, str) or number, f"switches.{name}", value, "a text or a number")


def check_commit(commit: Mapping[str, Any]) -> None:
    """The state of a repository, in the words of pytest-benchmark."""
    check_json(commit=commit)
    for name in ("id", "time"):
        value = commit.get(name)
        check(value is None or isinstance(value, str), f"commit.{name}", value, "a text")
    check(commit.get("time") is None or "id" in commit, "commit", commit, "an id where it has a time")


def check_json(**tables: Mapping[str, Any]) -> None:
    """Tables of what JSON can hold, without the numbers that it does not have."""
    for name, table in tables.items():
        try:
            json.dumps(table, allow_nan=False)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name}: {error}") from error
