"""Which implementation can use which device here, and if not why: at a glance, or by asking it."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import FcnBenchError
from bench.machine.cpus import available_cpus
from bench.worker import interpreters, messages, process
from bench.worker.interpreters import versions
from impls import environment, registry
from impls.registry import Entry
from impls.workload import Workload

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


def asked(entry: Entry, device: str, workload: Workload, timeout_s: float = 300.0) -> Usable:
    """Have a process of its own import the implementation and build the network on the device."""
    with TemporaryDirectory(prefix="fcnbench-usable-") as folder:
        answer = process.launch(
            messages.request("usable", entry, workload=asdict(workload), device=device),
            environment.environment(entry, device, 1),
            available_cpus(),
            Path(folder, "log"),
            timeout_s,
            interpreters.command(entry),
        )
    status, reason = answer.end(timeout_s)
    return Usable("yes") if status == "ok" else Usable("no", reason)


def probe(entry: Entry, timeout_s: float = 120.0) -> None:
    """Import a plugin in a child and check its members, so that a mistake shows before anything is measured.

    Raises FcnBenchError with the child's reason.
    """
    with TemporaryDirectory(prefix="fcnbench-probe-") as folder:
        answer = process.launch(
            messages.request("probe", entry),
            environment.environment(entry, "cpu", 1),
            available_cpus(),
            Path(folder, "log"),
            timeout_s,
            interpreters.command(entry),
        )
    status, reason = answer.end(timeout_s)
    if status != "ok":
        raise FcnBenchError(f"plugin {entry.module}: cannot be used ({reason}); mend it, see CONTRIBUTING.md")


def check(entries: Sequence[Entry]) -> None:
    """Have each other interpreter start a worker, so that what it lacks is told before anything is measured."""
    for python in dict.fromkeys(entry.python for entry in entries if entry.python):
        entry = next(entry for entry in entries if entry.python == python)
        with TemporaryDirectory(prefix="fcnbench-interpreter-") as folder:
            log = Path(folder, "log")
            request = messages.request("hello", entry)
            variables = environment.environment(entry, "cpu", 1)
            cpus = available_cpus()
            answer = process.launch(request, variables, cpus, log, interpreters.TIMEOUT_S, interpreters.command(entry))
            status, reason = answer.end(interpreters.TIMEOUT_S)
            if status == "ok" and not any(event.name == "hello" for event in answer.events):
                status, reason = "failed", "it did not say which protocol it speaks"
            if status != "ok":
                said = process.log_tail(log).splitlines()[-1:]
                raise FcnBenchError(
                    f"--python {python}: runs no worker ({' '.join([reason, *said])}); {interpreters.NEEDS}"
                )
