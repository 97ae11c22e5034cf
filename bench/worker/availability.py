"""Which implementation can use which device here, and if not why: at a glance, or by asking it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from bench.errors import FcnBenchError
from bench.worker import interpreters, process
from bench.worker.answer import Outcome, last_line, tail
from bench.worker.interpreters import versions
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Build, Import, Request, Start
from impls import environment, registry
from impls.registry import Entry
from impls.workload import Workload

BUILD_TIMEOUT_S = 300.0
KINDS = ("cpu", "cuda", "mps")
ABSENT = {"cuda": "this machine shows no NVIDIA GPU", "mps": "this machine has no Apple GPU"}


@dataclass(frozen=True)
class Usable:
    """An answer: ``yes``, ``no`` or, where nobody was asked, ``installed``; and why not."""

    state: str
    why: str = ""

    @property
    def text(self) -> str:
        """``yes``, or ``no`` with the reason."""
        return f"{self.state}: {self.why}" if self.why else self.state


def at_a_glance(entry: Entry, device: str, present: Sequence[str]) -> Usable:
    """From what is installed and what the machine shows; no framework is started."""
    missing = [name for name, found in versions(entry).items() if found == "not installed"]
    if missing and entry.name in {row.name for row in registry.BUILT_IN}:
        return Usable("no", f"{missing[0]} is not installed")
    if device in present:
        return Usable("installed")
    hidden = device == "cuda" and environment.visible(os.environ) == ()
    return Usable("no", "CUDA_VISIBLE_DEVICES leaves no GPU to see" if hidden else ABSENT[device])


def ask(entry: Entry, request: Request, device: str = "cpu", *, timeout_s: float) -> tuple[Outcome, str]:
    """How a process of its own ended that was asked for this, and the last line that it printed."""
    with TemporaryFile() as log:  # it has no name, so that nothing is left where this process is killed
        answer = process.ask(entry, request, Placement.of(device), log, timeout_s)
        return answer.outcome, last_line(tail(log))


def usable(entry: Entry, device: str, workload: Workload) -> Usable:
    """Have a process of its own import the implementation and build the network on the device."""
    (status, reason), _ = ask(entry, Build(entry_point(entry), workload, device), device, timeout_s=BUILD_TIMEOUT_S)
    return Usable("yes") if status == "ok" else Usable("no", reason)


def check_plugin(entry: Entry, timeout_s: float) -> None:
    """Import a plugin in a child and check its members, so that a mistake shows before anything is measured.

    Raises FcnBenchError with the child's reason.
    """
    (status, reason), _ = ask(entry, Import(entry_point(entry)), timeout_s=timeout_s)
    if status != "ok":
        raise FcnBenchError(f"plugin {entry.module}: cannot be used ({reason}); mend it, see CONTRIBUTING.md")


def check_interpreters(entries: Sequence[Entry]) -> None:
    """Have each other interpreter start a worker, so that what it lacks shows before anything is measured."""
    for python in dict.fromkeys(entry.python for entry in entries if entry.python):
        entry = next(entry for entry in entries if entry.python == python)
        (status, reason), printed = ask(entry, Start(entry_point(entry)), timeout_s=interpreters.TIMEOUT_S)
        if status != "ok":
            why = " ".join([reason, printed]).strip()
            raise FcnBenchError(f"--python {python}: runs no worker ({why}); {interpreters.NEEDS}")
