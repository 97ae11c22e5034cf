"""What a user's options stand for: networks, implementations, devices, thread counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.data import networks, tutorials
from bench.errors import FcnBenchError, unknown
from bench.machine import cpus
from bench.session.devices import chosen_devices, in_tf32_too
from bench.worker import interpreters
from impls import registry
from impls.registry import Entry
from impls.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user decides, named as the options of ``fcnbench run``; None and empty leave it to the defaults.

    ``precision`` is the half-width of intervals (0.02 is 2 %), ``budget_s`` a time in seconds; each has a pilot decide
    on the number of blocks. The ``preset`` is ``quick`` or ``documents``. A process that takes more than ``timeout_s``
    seconds is killed. With ``fresh`` what is stored already is measured again.
    """

    workload: Sequence[str] | None = None
    implementation: Sequence[str] | None = None
    plugin: Sequence[Path] | None = None
    device: Sequence[str] | None = None
    threads: Sequence[int] | None = None
    blocks: int | None = None
    precision: float | None = None
    budget_s: float | None = None
    repeats: int | None = None
    epochs: int | None = None
    seed: int = 1
    data: Path | None = None
    workloads: Path | None = None
    preset: str = "quick"
    timeout_s: float = 3600.0
    python: Sequence[str] | None = None
    tf32: bool = False
    floor: bool = False
    sweep: bool = False
    extras: bool | None = None
    fresh: bool = False

    @property
    def with_extras(self) -> bool:
        """Whether probes, breakdowns and exports follow: if that was asked for, else where documents are repeated."""
        return self.preset == "documents" if self.extras is None else self.extras


@dataclass(frozen=True)
class Choice:
    """What is measured with what: everything that the options decide without a look at the data.

    ``floors`` are the libraries of the machine's own limit, where that was asked for.
    """

    workloads: Sequence[Workload]
    entries: Sequence[Entry]
    devices: Sequence[str]
    threads: Sequence[int]
    floors: Sequence[Entry] = ()


def choose(options: Options) -> Choice:
    """What the options ask for. Raises FcnBenchError for what does not exist or is not to be had here."""
    devices, pythons = chosen_devices(options.device), options.python or []
    workloads = chosen_workloads(options.workloads, options.workload, options.preset)
    return Choice(
        workloads=in_tf32_too(workloads, devices) if options.tf32 else workloads,
        entries=interpreters.assigned(chosen_entries(options.implementation, options.plugin or []), pythons),
        devices=devices,
        threads=chosen_threads(options.threads, len(cpus.available_cpus())),
        floors=interpreters.assigned(registry.floors(), pythons) if options.floor else (),
    )


def chosen_workloads(file: Path | None, names: Sequence[str] | None, preset: str) -> list[Workload]:
    """The workloads that were named; else a user's whole file, or what the preset says."""
    own = tutorials.networks()
    users = networks.load(file) if file else {}
    taken = next((name for name in users if name in own), None)
    if taken:
        raise FcnBenchError(f"workload file {file}: the name {taken!r} is taken by a document's; give it another")
    known = own | users
    for name in names or []:
        if name not in known:
            raise unknown("workload", name, known)
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    if users:
        return list(users.values())
    return list(own.values()) if preset == "documents" else [own[tutorials.headline()]]


def chosen_entries(names: Sequence[str] | None, plugins: Sequence[Path]) -> list[Entry]:
    """The implementations that were named and the plugins; without names, those that run by default and the plugins."""
    known = {entry.name: entry for entry in registry.installed()}
    added: dict[str, Entry] = {}
    for path in plugins:
        entry = plugin(path)
        if entry.name in known | added:
            raise FcnBenchError(f"plugin {path}: the name {entry.name!r} is taken; give the file another name")
        added[entry.name] = entry
    for name in names or []:
        if name not in known | added:
            raise unknown("implementation", name, known | added)
    if names:
        return [(known | added)[name] for name in dict.fromkeys([*names, *added])]
    return [entry for entry in known.values() if entry.by_default] + list(added.values())


def plugin(path: Path) -> Entry:
    """The row of a plugin file. Raises FcnBenchError for one that is not there or whose name no result can have."""
    if not path.is_file():
        raise FcnBenchError(f"plugin {path}: no such file; give a Python file with a class Implementation")
    try:
        return registry.from_file(path)
    except ValueError as error:
        raise FcnBenchError(f"plugin {path}: its {error}; give the file another name") from error


def to_verify(names: Sequence[str] | None, plugins: Sequence[Path] | None) -> list[str]:
    """The implementations whose work is checked: those that were named, else the plugins, else all that train.

    Raises FcnBenchError where none of those that were named trains.
    """
    if not names:
        rows = map(plugin, plugins) if plugins else registry.installed()
        return [entry.name for entry in rows if entry.gated]
    entries = chosen_entries(names, plugins or [])
    if not any(entry.gated for entry in entries):
        given = ", ".join(entry.name for entry in entries)
        raise FcnBenchError(
            f"--implementation {given}: trains no network, so nothing can be checked; name one that does"
        )
    return [entry.name for entry in entries]


def chosen_threads(counts: Sequence[int] | None, available: int) -> list[int]:
    """The thread counts that were given, each of which must be possible here; else all that may be used but one."""
    for count in counts or []:
        if not 1 <= count <= available:
            raise FcnBenchError(f"--threads {count}: this process may use {available} CPUs; give 1 to {available}")
    return list(dict.fromkeys(counts or [cpus.default_threads(available)]))
