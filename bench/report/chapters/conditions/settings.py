"""What was in force while programs ran: their settings side by side, switches, the machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict

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
    values: dict[tuple[tuple[int, int, str], str], dict[str, dict[str, None]]] = {}
    for result in results:
        cell = result.cell
        if result.status == "ok" and cell.role == "measured":
            key = naming.rank(cell.implementation, cell.tier), naming.named(cell.implementation, cell.tier)
            of_program = values.setdefault(key, {})
            for name, value in properties(result).items():
                of_program.setdefault(name, {})[numbers.MISSING if value is None else str(value)] = None
    programs = sorted(values)
    rows = []
    for name in values[programs[0]] if programs else ():
        cells = [" / ".join(values[program][name]) for program in programs]
        if name == BUSY:
            ranges = [(min(values[program][name]), max(values[program][name])) for program in programs]
            cells = ["–".join(dict.fromkeys(ends)) for ends in ranges]
        rows.append((name, "differs" if len(set(cells)) > 1 else "", *cells))
    return Sheet("", ("", "", *(title for _, title in programs)), tuple(rows), texts=2 + len(programs))


def properties(result: TrainingResult) -> dict[str, object]:
    """What was in force in one cell, by name, in the order of the table; None where the program says nothing."""
    cell, switches = result.cell, result.switches
    ordered = switches.get("takes_order")
    own_order = "its own, new in every epoch" if cell.workload.shuffle else "as stored"
    tf32, busy = switches.get("tf32"), middle(result.epochs[2:], cpu_per_wall)
    return {
        "start weights": "given by the harness" if ordered else switches.get("initialiser", "its own"),
        "batch order": "given by the harness" if ordered else own_order,
        "last batch, not full": switches.get("last_batch"),
        "Adam": adam(result),
        "precision": switches.get("precision"),
        "TF32": None if tf32 is None else "on" if tf32 else "off",
        "threads asked for": cell.threads,
        "threads in the framework": switches.get("threads"),
        BUSY: None if busy is None else f"{busy:.1f}",
        "compilation": switches.get("compile"),
        "where the data lies": switches.get("data"),
        "versions": ", ".join(f"{name} {version}" for name, version in result.versions.items()),
    }


def adam(result: TrainingResult) -> str | None:
    """The declared form of Adam with its epsilon, and the program's own epsilon where it differs."""
    declared, epsilon = result.switches.get("adam"), result.switches.get("adam_epsilon")
    if result.cell.workload.optimiser.kind != "adam":
        return "not used"
    if not isinstance(declared, list):
        return None
    writer = FRAMEWORKS.get(str(declared[0]).partition("-")[0])
    form = f"as {writer.label if writer else declared[0]} writes it, epsilon {declared[1]:g}"
    return form + (f", the program says {epsilon:g}" if isinstance(epsilon, float) and epsilon != declared[1] else "")


def machine(record: Machine) -> Sheet:
    """A machine, a property in each row."""
    rows = []
    for name, value in asdict(record).items():
        shown = numbers.figure(name, value) if name.endswith("_bytes") else str(value)
        rows.append((MACHINE.get(name, name), numbers.MISSING if value in (None, "") else shown))
    return Sheet("machine", ("property", "value"), tuple(rows), texts=2)


def switches(results: Sequence[TrainingResult]) -> list[Sheet]:
    """Switches and environment variables: those that all share, then each implementation's others.

    Read from the results; cells that differ have their values side by side. Sheets without rows are left out.
    """
    values: dict[str, dict[str, dict[str, None]]] = {}
    for result in results:
        if result.status == "ok":
            of_program = values.setdefault(naming.named(result.cell.implementation, result.cell.tier), {})
            for name, value in {**result.switches, **result.environment}.items():
                of_program.setdefault(name, {})[value if isinstance(value, str) else json.dumps(value)] = None
    rows = {title: {(name, " / ".join(texts)) for name, texts in switches.items()}
            for title, switches in sorted(values.items())}  # fmt: skip
    shared = set.intersection(*rows.values()) if rows else set()
    parts = {"the same for all": shared} | {title: of_program - shared for title, of_program in rows.items()}
    return [Sheet(title, ("switch", "value"), tuple(sorted(part)), texts=2) for title, part in parts.items() if part]
