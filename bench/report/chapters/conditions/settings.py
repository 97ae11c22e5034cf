"""What was in force while programs ran: their settings side by side, switches, the machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.runs import cpu_per_wall, middle
from bench.store.records.machine import Machine
from bench.store.records.training import TrainingResult
from impls.frameworks import FRAMEWORKS

MACHINE = {
    "machine": "digest", "cpu": "CPU", "logical_cpus": "logical CPUs", "physical_cpus": "physical cores",
    "available_cpus": "CPUs that may be used", "cpu_quota": "CPU quota", "ram_bytes": "memory",
    "memory_limit_bytes": "memory limit", "os": "system", "python": "Python", "blas": "NumPy's BLAS", "gpus": "GPUs",
    "gpu_driver": "GPU driver", "gpu_settings": "GPU settings",
}  # fmt: skip
BUSY = "CPUs busy"


def fairness(results: Sequence[TrainingResult]) -> Sheet:
    """What was in force, a property in each row, an implementation in each column; rows that differ say so.

    Read from the running programs as far as they can be asked, else from what they declare.
    """
    found: dict[tuple[tuple[int, int, str], str], dict[str, dict[str, None]]] = {}
    for result in results:
        cell = result.cell
        if result.status == "ok" and cell.role == "measured":
            key = naming.rank(cell.implementation, cell.tier), naming.named(cell.implementation, cell.tier)
            own = found.setdefault(key, {})
            for name, value in properties(result).items():
                own.setdefault(name, {})[numbers.MISSING if value is None else str(value)] = None
    programs = sorted(found)
    rows = []
    for name in found[programs[0]] if programs else ():
        join = between if name == BUSY else " / ".join
        values = [join(list(found[program][name])) for program in programs]
        rows.append((name, "differs" if len(set(values)) > 1 else "", *values))
    return Sheet("", ("", "", *(title for _, title in programs)), tuple(rows), texts=2 + len(programs))


def between(values: list[str]) -> str:
    """The least and the greatest of some numbers."""
    ends = sorted(values)
    return ends[0] if ends[0] == ends[-1] else f"{ends[0]}–{ends[-1]}"


def properties(result: TrainingResult) -> dict[str, object]:
    """What was in force in one cell, by name, in the order of the table; None where the program says nothing."""
    cell, told = result.cell, result.switches
    ordered = told.get("takes_order")
    own_order = "its own, new in every epoch" if cell.workload.shuffle else "as stored"
    tf32, busy = told.get("tf32"), middle(result.epochs[2:], cpu_per_wall)
    return {
        "start weights": "given by the harness" if ordered else told.get("initialiser", "its own"),
        "batch order": "given by the harness" if ordered else own_order,
        "last batch, not full": told.get("last_batch"),
        "Adam": adam(result),
        "precision": told.get("precision"),
        "TF32": None if tf32 is None else "on" if tf32 else "off",
        "threads asked for": cell.threads,
        "threads in the framework": told.get("threads"),
        BUSY: None if busy is None else f"{busy:.1f}",
        "compilation": told.get("compile"),
        "where the data lies": told.get("data"),
        "versions": ", ".join(f"{name} {version}" for name, version in result.versions.items()),
    }


def adam(result: TrainingResult) -> str | None:
    """The form of Adam that was declared, with its epsilon, and the program's own word where it is another."""
    declared, epsilon = result.switches.get("adam"), result.switches.get("adam_epsilon")
    if result.cell.workload.optimiser.kind != "adam":
        return "not used"
    if not isinstance(declared, list):
        return None
    writer = FRAMEWORKS.get(str(declared[0]).partition("-")[0])
    form = f"as {writer.label if writer else declared[0]} writes it, epsilon {declared[1]:g}"
    return form + (f", the program says {epsilon:g}" if isinstance(epsilon, float) and epsilon != declared[1] else "")


def machine(found: Machine) -> Sheet:
    """A machine, a property in each row."""
    rows = []
    for name, value in asdict(found).items():
        shown = numbers.figure(name, value) if name.endswith("_bytes") else str(value)
        rows.append((MACHINE.get(name, name), numbers.MISSING if value in (None, "") else shown))
    return Sheet("machine", ("property", "value"), tuple(rows), texts=2)


@dataclass(frozen=True)
class Switches:
    """Switches and environment variables: those that all share, and each implementation's others."""

    common: Sheet
    own: tuple[Sheet, ...]


def switches(results: Sequence[TrainingResult]) -> Switches:
    """What was in force, read from the results; cells that differ have their values side by side."""
    found: dict[str, dict[str, list[str]]] = {}
    for result in results:
        if result.status == "ok":
            own = found.setdefault(naming.named(result.cell.implementation, result.cell.tier), {})
            for name, value in {**result.switches, **result.environment}.items():
                text = value if isinstance(value, str) else json.dumps(value)
                own.setdefault(name, [])
                own[name] += [] if text in own[name] else [text]
    joined = {title: {name: " / ".join(values) for name, values in own.items()} for title, own in found.items()}
    first = next(iter(joined.values()), {})
    common = {
        name: value for name, value in first.items() if all(other.get(name) == value for other in joined.values())
    }
    blank = Sheet("the same for all", ("switch", "value"), tuple(sorted(common.items())), texts=2)
    others = []
    for title, values in sorted(joined.items()):
        rows = tuple((name, value) for name, value in sorted(values.items()) if name not in common)
        others.append(replace(blank, title=title, rows=rows))
    return Switches(blank, tuple(sheet for sheet in others if sheet.rows))
