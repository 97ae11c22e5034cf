"""Errors that a user can do something about: one line with the value, the expectation and the next step."""

import difflib
from collections.abc import Iterable


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
