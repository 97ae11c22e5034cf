"""What there is to run: the implementations and the networks, as tables for the terminal."""

import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import environment, interpreters, usable, workloads
from bench.plan import versions
from impls import registry
from impls.registry import Entry

IMAGES = 60_000
COLUMNS = ("NETWORK", "DOCUMENT", "LAYERS", "PARAMETERS", "GFLOP/EPOCH", "BATCH", "EPOCHS", "OPTIMISER")


def text(file: Path | None, width: int, ask: bool = False, pythons: Sequence[str] = ()) -> str:
    """All tables, ``width`` letters wide; the networks are those of ``file`` where there is one.

    ``ask`` starts each framework to find out what it can use; else that is told as far as it can be seen from outside.
    ``pythons`` are interpreters as ``--python`` takes them.
    """
    entries = interpreters.assigned(registry.installed(), pythons)
    interpreters.check(entries)
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    console.print(implementations(entries))
    console.print()
    console.print(devices(entries, ask))
    if not ask:
        console.print("installed: its packages are; 'fcnbench list --devices' starts each framework and asks it.")
    console.print()
    console.print(networks(file or workloads.OWN))
    console.print(
        f"GFLOP/EPOCH: products with the kernels, forward and backward, for MNIST's {IMAGES:,} training images less "
        "those held out for validation."
    )
    return out.getvalue().rstrip()


def implementations(entries: Sequence[Entry]) -> Table:
    """Names, tiers and what each needs."""
    table = Table("IMPLEMENTATION", "TIER", "INSTALLED HERE", box=None, padding=(0, 2, 0, 0))
    built_in = {entry.name for entry in registry.BUILT_IN}
    for entry in entries:
        found = [f"{package} {version}" for package, version in versions(entry).items()]
        table.add_row(entry.name, entry.tier, ", ".join(found) if entry.name in built_in else "as it needs")
    return table


def devices(entries: Sequence[Entry], ask: bool) -> Table:
    """On which devices each implementation can be run here, and if not why."""
    present, workload = environment.devices(), next(iter(workloads.load().values()))
    table = Table("USABLE HERE", *usable.KINDS, box=None, padding=(0, 2, 0, 0))
    for entry in entries:
        found = []
        for device in usable.KINDS:
            answer = usable.at_a_glance(entry, device, present)
            if ask and answer.state == "installed":
                answer = usable.asked(entry, device, workload)
            found.append(answer.text)
        table.add_row(entry.name, *found)
    return table


def networks(file: Path) -> Table:
    """The networks of a file, with what an epoch of each asks for."""
    table = Table(*COLUMNS, box=None)
    table.padding = (0, 2, 0, 0)
    table.columns[0].no_wrap = True
    for workload in workloads.load(file).values():
        table.add_row(
            workload.name, str(workload.document or "-"), " - ".join(map(workloads.describe, workload.layers)),
            f"{workload.parameters:,}", f"{workload.flops * IMAGES * (1 - workload.validation) / 1e9:,.1f}",
            str(workload.batch_size), str(workload.epochs), workloads.describe_optimiser(workload.optimiser),
        )  # fmt: skip
    return table
