"""Trained networks in the frameworks' own formats: each framework reads its own and writes portable files."""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import FcnBenchError
from bench.machine.cpus import available_cpus
from bench.store import models
from bench.worker import process
from bench.worker.messages import PartEnded
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Unpack
from impls import portable, registry
from impls.registry import Entry


def is_native(path: Path) -> bool:
    """Whether this is a file in a framework's own format, by its ending."""
    return registry.native_reader(path.suffix) is not None and not path.is_dir()


def unpacked(
    paths: Sequence[Path], rows: Sequence[Entry], folder: Path, timeout_s: float
) -> dict[Path, Path | FcnBenchError]:
    """The frameworks' own files as portable ones in ``folder``, or why not: each framework reads its own, all at once.

    What is no archive, is damaged, compressed or too large is refused before a framework starts.
    """
    found: dict[Path, Path | FcnBenchError] = {}
    for number, path in enumerate(paths):
        try:
            with models.reading(path):
                portable.check_archive(path)
            found[path] = folder / f"{number}.npz"
        except FcnBenchError as error:
            found[path] = error
    sound = {path: out for path, out in found.items() if isinstance(out, Path)}
    files = {row.short: [path for path in sound if registry.native_reader(path.suffix) == row.short] for row in rows}

    def unpack(row: Entry, cpus: tuple[int, ...]) -> list[PartEnded]:
        pairs = tuple((str(path.resolve()), str(sound[path])) for path in files[row.short])
        request = Unpack(entry_point(row), pairs, row.framework)
        log = folder / f"unpack.{row.short}.log"
        return process.ask(row, request, Placement("cpu", cpus), log, timeout_s).parts(PartEnded, len(pairs))

    jobs = [row for row in rows if files[row.short]]
    for row, ends in process.run_all(jobs, unpack, available_cpus(), len(jobs)):
        for path, end in zip(files[row.short], ends, strict=True):
            if end.status != "ok":
                found[path] = refusal(path, end)
    return found


def refusal(path: Path, end: PartEnded) -> FcnBenchError:
    """Why a framework did not read its own file."""
    if end.status == "skipped":
        return FcnBenchError(f"model {path}: cannot be read here ({end.reason}); install it or give a portable .npz")
    return FcnBenchError(f"model {path}: not a model of fcnbench ({end.reason[:200]}); give one that it has written")
