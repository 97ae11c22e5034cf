"""Errors that a user can do something about: one line with the value, the expectation and the next step."""

import difflib
import re
from collections.abc import Iterable

ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]")
"""What a terminal takes for a command: colours and cursor movements, titles and links, single letters."""


class FcnBenchError(Exception):
    """Unusable arguments or input. ``cli`` prints it as one line and exits with ``exit_status``."""

    exit_status = 2


def unknown(what: str, name: str, known: Iterable[str]) -> FcnBenchError:
    """The error for a ``name`` that is none of ``known``, offering the nearest one."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
    return FcnBenchError(f"unknown {what} {name!r}: {hint}")


class NotHere(FcnBenchError):
    """An implementation that cannot run on this machine, with the reason: it is skipped, not failed."""


def clean(text: str) -> str:
    """The text on one line without terminal escapes, control characters and surrogates."""
    if not text.isprintable():
        text = ESCAPES.sub("", text).encode("utf-8", "replace").decode()
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())
