"""Compares frameworks by MNIST networks that they train. From Python: :func:`run` measures, :func:`read` looks.

Neither name is that of a room or a module in this folder: importing one of those would replace it. What they need is
imported when they are called.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.report.results import Results


def run(out: "Path | str | None" = None, say: "Callable[..., None] | None" = None, **options: Any) -> "Results":
    """Measure what is not stored yet, as ``fcnbench run`` does, and read the results.

    ``out`` is the result directory, ``results/PRESET`` if it is left out. ``options`` are fields of
    :class:`bench.session.choice.Options`. Each line is given to ``say``, which takes what ``print`` takes; without it
    nothing is shown. Raises :class:`bench.errors.FcnBenchError` for what cannot be done.
    """
    from pathlib import Path

    from bench.session import run as session_run
    from bench.session import setup
    from bench.session.choice import Options
    from bench.store import archive

    wanted, say = Options(**options), say or (lambda *_, **__: None)
    directory = Path("results", wanted.preset) if out is None else Path(out)
    plan, session = setup.prepare(wanted, directory, say)
    with archive.opened(directory):
        session_run.run(plan, session, wanted, say, answer=lambda: None)
        if wanted.with_extras:
            session_run.extra(plan, session, wanted, say)
    return read(directory)


def read(directory: "Path | str") -> "Results":
    """What a result directory holds: ``.runs`` and ``.epochs`` as DataFrames, ``.report()``, ``.compare(base)``.

    No framework is needed. Raises :class:`bench.errors.FcnBenchError` for a directory without results.
    """
    from pathlib import Path

    from bench.report import build

    return build.read(Path(directory))
