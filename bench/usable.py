"""Which implementation can use which device here, and if not why: at a glance, or by asking it."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import environment, launch
from bench.plan import versions
from impls import devices, registry
from impls.contract import Workload
from impls.registry import Entry

KINDS = ("cpu", "cuda", "mps")
ABSENT = {"cuda": "this machine shows no NVIDIA GPU", "mps": "this machine has no Apple GPU"}


@dataclass(frozen=True)
class Usable:
    """An answer: ``yes``, ``no`` or, where nobody was asked, ``installed``; and why not."""

    state: str
    why: str = ""

    @property
    def text(self) -> str:
        """``yes``; ``no: tensorflow is not installed``."""
        return f"{self.state}: {self.why}" if self.why else self.state


def at_a_glance(entry: Entry, device: str, present: Sequence[str]) -> Usable:
    """From what is installed and what the machine shows; no framework is started."""
    missing = [name for name, found in versions(entry).items() if found == "not installed"]
    if missing and entry.name in {row.name for row in registry.BUILT_IN}:
        return Usable("no", f"{missing[0]} is not installed")
    if device in present:
        return Usable("installed")
    hidden = device == "cuda" and devices.visible(os.environ) == ()
    return Usable("no", "CUDA_VISIBLE_DEVICES leaves no GPU to see" if hidden else ABSENT[device])


def asked(entry: Entry, device: str, workload: Workload, timeout_s: float = 300.0) -> Usable:
    """Have a process of its own import the implementation and build the network on the device."""
    with TemporaryDirectory(prefix="fcnbench-usable-") as folder:
        answer = launch.launch(
            launch.request("usable", entry, workload=asdict(workload), device=device),
            registry.environment(entry, device, 1),
            environment.available_cpus(),
            Path(folder, "log"),
            timeout_s,
            launch.command(entry),
        )
    status, reason = answer.end(timeout_s)
    return Usable("yes") if status == "ok" else Usable("no", reason)
