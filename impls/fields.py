"""What the fields of a record may hold. Each check raises ValueError for the first field that holds something else.

None passes where a field may be missing.
"""

import math
import re

NAME = re.compile(r"[\w-][\w.-]*")
LONGEST_NAME = 80
"""Bytes. A cell's file is named after its network, its implementation and more, and its name may have 255."""
LONGEST_SHOWN = 100
"""Characters of a value in an error."""
LARGEST = 2**63 - 1
"""The largest integer that a table can hold."""


def check(holds: bool, name: str, value: object, expected: str) -> None:
    """Raise ValueError, with a field, its value and what was expected, where that does not hold."""
    if not holds:
        raise ValueError(f"{name} is {shown(value)}, expected {expected}")


def shown(value: object) -> str:
    """A value as part of a line, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def check_names(**names: str) -> None:
    """Names that become part of a file's name."""
    for name, value in names.items():
        fits = NAME.fullmatch(value) is not None and len(value.encode()) <= LONGEST_NAME
        expected = f"letters, digits, - _ and . (not first), at most {LONGEST_NAME} bytes"
        check(fits, name, value, expected)


def check_at_least(least: int, **counts: int | None) -> None:
    """Integers that are not smaller than ``least``."""
    for name, value in counts.items():
        if value is not None:
            check(value >= least, name, value, f"an integer greater than or equal to {least}")
            check(value <= LARGEST, name, value, "an integer less than 2^63")


def check_positive(**values: float | None) -> None:
    """Finite numbers greater than 0."""
    for name, value in values.items():
        check(value is None or 0 < value < math.inf, name, value, "a finite number greater than 0")


def check_finite(**values: float | None) -> None:
    """Finite numbers."""
    for name, value in values.items():
        check(value is None or math.isfinite(value), name, value, "a finite number")
