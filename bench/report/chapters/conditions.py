"""What the figures rest on: equal work, equal terms, the machine; and what could not be measured."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import pandas as pd

from bench.display import naming, numbers
from bench.display.naming import as_role
from bench.display.tables import Sheet
from bench.report.runs import GROUP, IDENTITY, cpu_per_wall, identity, middle
from bench.store.records.machine import Machine
from bench.store.records.training import Result
from bench.store.records.verification import Gate, Rung
from impls.frameworks import FRAMEWORKS

MACHINE = {
    "machine": "digest", "cpu": "CPU", "logical_cpus": "logical CPUs", "physical_cpus": "physical cores",
    "available_cpus": "CPUs that may be used", "cpu_quota": "CPU quota", "ram_bytes": "memory",
    "memory_limit_bytes": "memory limit", "os": "system", "python": "Python", "blas": "NumPy's BLAS", "gpus": "GPUs",
    "gpu_driver": "GPU driver", "gpu_settings": "GPU settings",
}  # fmt: skip
BUSY = "CPUs busy"
FIGURES = ("epoch_s", "first_epoch_s", "accuracy", "process_peak_bytes")


@dataclass(frozen=True)
class Lost:
    """Cells that ended the same way: what they were, why, and the end of the first one's log."""

    what: str
    status: str
    reason: str
    log: str

    @property
    def line(self) -> str:
        """All of it on one line, without the log."""
        return f"{self.status}: {self.what}: {numbers.shorten(self.reason, 240)}"


def lost(results: Sequence[Result]) -> list[Lost]:
    """The cells that failed or were skipped, those of the same reason together; failures first."""
    kinds: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        cell = result.cell
        if result.status != "ok":
            place = naming.place(cell.device, cell.threads)
            kinds.setdefault((result.status, cell.workload.name, place, result.reason), []).append(result)
    found = []
    for (status, workload, place, reason), same in kinds.items():
        names = dict.fromkeys(result.cell.implementation for result in same)
        roles = {result.cell.role for result in same}
        role = as_role(roles.pop()) if len(roles) == 1 else ""
        blocks = sorted({result.cell.block for result in same})
        which = f"block{'' if len(blocks) == 1 else 's'} {numbers.listed([str(block) for block in blocks])}"
        log = next((result.log_tail for result in same if result.log_tail), "")
        what = f"{numbers.listed(list(names))}{role}, {workload}, {place}, {which}"
        found.append(Lost(what, status, reason or "no reason was given", log))
    return sorted(found, key=lambda lost: lost.status)


def failed_gates(gates: Sequence[Gate]) -> list[str]:
    """The implementations that do other work than the workload asks for, a line each."""
    return [
        f"withheld: {gate.implementation}, {gate.workload}, {naming.device(gate.device)}: it does not do the same "
        f"work: {numbers.shorten(gate.reason, 240)}"
        for gate in gates
        if gate.status == "failed"
    ]


def gate(gates: Sequence[Gate]) -> Sheet:
    """What the equivalence gate found: the worst rung of each implementation, workload and device."""
    rows = []
    for gate in gates:
        compared = [(rung.figure / rung.limit, rung) for rung in gate.rungs if rung.figure is not None and rung.limit]
        share, worst = max(compared, key=lambda found: found[0], default=(0.0, None))
        rows.append((
            gate.implementation, gate.workload, naming.device(gate.device), gate.status,
            gate.reason or (f"{worst.name}: {share:.0%} of the limit".replace("%", " %") if worst else ""),
            str(sum(rung.passed for rung in gate.rungs)),
        ))  # fmt: skip
    columns = ("implementation", "network", "device", "same work?", "nearest to its limit", "rungs passed")
    return Sheet("", columns, tuple(rows), texts=5)


def agreement_table(results: Sequence[Result]) -> Sheet:
    """The mean loss of the first epoch beside that of the program with which the control is run."""
    rows = []
    for _, row in agreement(results).iterrows():
        again = as_role(str(row["role"]))
        rows.append((
            row["workload"], naming.place(row["device"], row["threads"]), f"{row['implementation']}{again}",
            f"{row['train_loss']:.4f}", f"{row['off'] * 100:.3f} %", str(row["blocks"]),
        ))  # fmt: skip
    columns = ("network", "place", "implementation", "mean loss of epoch 1", "farthest from the control's program")
    return Sheet("", (*columns, "blocks"), tuple(rows), texts=3)


def fairness(results: Sequence[Result]) -> Sheet:
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


def properties(result: Result) -> dict[str, object]:
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


def adam(result: Result) -> str | None:
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


def switches(results: Sequence[Result]) -> Switches:
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


def checks_frame(gates: Sequence[Gate]) -> pd.DataFrame:
    """One row per rung of the equivalence gate that was climbed, and one for each gate that ended before any."""
    rows = []
    for gate in gates:
        head = {"workload": gate.workload, "implementation": gate.implementation, "device": gate.device}
        rows += [head | asdict(rung) for rung in gate.rungs]
        if gate.status == "skipped" or (gate.status == "failed" and all(rung.passed for rung in gate.rungs)):
            rows.append(head | {"name": "ended", "passed": False, "note": f"{gate.status}: {gate.reason}"})
    columns = ["workload", "implementation", "device", *(field.name for field in fields(Rung))]
    return pd.DataFrame(rows, columns=columns).rename(columns={"name": "rung"})


def agreement(results: Sequence[Result]) -> pd.DataFrame:
    """How near programs that were given the same start and the same batches are after an epoch of the whole set.

    The gate trains on small samples. This is what shows a program that does other work on the full one: ``train_loss``
    is the median over blocks of the mean loss of its first epoch, ``off`` how far it is at most, block by block, from
    that of the program with which the control is run, as a share.
    """
    frame = pd.DataFrame(
        [
            identity(result) | {"train_loss": result.epochs[1].train_loss}
            for result in results
            if result.status == "ok" and result.switches.get("takes_order") and len(result.epochs) > 1
        ],
        columns=[*IDENTITY, "train_loss"],
    ).dropna(subset="train_loss")
    programs = frame.loc[frame["role"] == "control", [*GROUP, "implementation"]].drop_duplicates()
    base = frame[(frame["role"] == "measured") & (frame["train_loss"] != 0)].merge(programs)
    both = frame.merge(
        base[[*GROUP, "block", "implementation", "train_loss"]], on=[*GROUP, "block"], suffixes=("", "_base")
    )
    both = both[(both["implementation"] != both["implementation_base"]) | (both["role"] == "control")]
    both = both.assign(off=(both["train_loss"].astype(float) / both["train_loss_base"].astype(float) - 1).abs())
    found = both.groupby([*GROUP, "implementation", "role"], as_index=False)
    return found.agg(train_loss=("train_loss", "median"), off=("off", "max"), blocks=("block", "size"))


def cells(runs: pd.DataFrame) -> Sheet:
    """Every cell as it was measured, one row each, in the order of the session."""
    rows = []
    for _, row in runs.assign(others=runs["others_cpu_s"] / runs["process_s"]).iterrows():
        figures = [numbers.figure(name, row[name]) for name in FIGURES]
        noted = "; ".join(text for text in (row["disturbed_by"], row["hints"]) if text)
        noted += f"{'; ' if noted else ''}attempt {row['attempt']}" if row["attempt"] > 1 else ""
        cpus = [
            numbers.MISSING if numbers.missing(row[name]) else f"{row[name]:.2f}" for name in ("cpu_per_wall", "others")
        ]
        state = row["role"] if row["status"] == "ok" else row["status"]
        place = naming.place(row["device"], row["threads"])
        rows.append((row["implementation"], row["workload"], place, str(row["block"]), state, noted, *figures, *cpus))
    columns = (
        "implementation", "network", "place", "block", "status", "disturbed by", "time per epoch", "first epoch",
        "accuracy", "memory", "CPUs busy", "CPUs of others",
    )  # fmt: skip
    return Sheet("", columns, tuple(rows), texts=6)


def disturbance(runs: pd.DataFrame) -> str:
    """What disturbed the cells, counted by the system, and which blocks were repeated for it; empty where not known."""
    share = (runs["others_cpu_s"] / runs["process_s"]).astype(float).dropna()
    told = []
    if len(share):
        busy = f"{share.median():.2f} CPUs busy (median; {share.max():.2f} at worst)"
        told.append(f"While cells ran, other programs kept {busy}.")
    disturbed = runs[(runs["disturbed_by"] != "") & (runs["status"] == "ok")]
    if len(disturbed):
        first = disturbed.iloc[0]
        told.append(
            f"{numbers.count(len(disturbed), 'cell')} of {len(runs)} ran disturbed, such as {first['implementation']} "
            f"in block {first['block']}: {first['disturbed_by']}."
        )
    for (workload, block), part in runs[runs["attempt"] > 1].groupby(["workload", "block"]):
        why = part["repeated"].iloc[0]
        told.append(f"Block {block} of {workload} was measured again, without a look at its times, since: {why}.")
    return " ".join(told)
