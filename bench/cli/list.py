"""The command `list`: the implementations, the devices and the networks, as tables for the terminal."""

import io
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Pythons, WorkloadFile, say

if TYPE_CHECKING:
    from rich.table import Table

    from impls.registry import Entry
    from impls.workload import Workload

IMAGES = 60_000
COLUMNS = ("NETWORK", "DOCUMENT", "LAYERS", "PARAMETERS", "GFLOP/EPOCH", "BATCH", "EPOCHS", "OPTIMISER")
app = typer.Typer()


def text(file: Path | None, width: int, ask: bool = False, pythons: Sequence[str] = ()) -> str:
    """All tables, ``width`` letters wide; the networks are those of ``file`` where there is one.

    ``ask`` starts each framework to find out which devices it can use; without it only its packages are looked up.
    ``pythons`` are interpreters as ``--python`` takes them.
    """
    from rich.console import Console

    from bench.data import tutorials
    from bench.data.networks import load
    from bench.machine import description
    from bench.worker import availability, interpreters
    from impls import registry

    entries = interpreters.assigned(registry.installed(), pythons)
    availability.check_interpreters(entries)
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    here = description.devices()
    present = [kind for kind in availability.KINDS if kind in here]
    console.print(implementations(entries, present, ask))
    for line in missing(entries, present):
        console.print(line)
    if not ask:
        console.print("installed: its packages are; 'fcnbench list --devices' starts each framework and asks it.")
    console.print()
    console.print(networks(load(file) if file else tutorials.networks()))
    console.print(
        f"GFLOP/EPOCH: products with the kernels, forward and backward, for MNIST's {IMAGES:,} training images less "
        "those held out for validation."
    )
    return out.getvalue().rstrip()


def implementations(entries: "Sequence[Entry]", present: "Sequence[str]", ask: bool) -> "Table":
    """Names, tiers, on which of the devices that are ``present`` each can be used, and what each needs."""
    from rich.table import Table

    from bench.data import tutorials
    from bench.worker import availability
    from bench.worker.interpreters import versions
    from impls import registry

    workload = next(iter(tutorials.networks().values()))
    table = Table(
        "IMPLEMENTATION", "TIER", *(f"ON {kind}" for kind in present), "INSTALLED HERE", box=None, padding=(0, 2, 0, 0)
    )
    built_in = {entry.name for entry in registry.BUILT_IN}
    for entry in entries:
        found = []
        for device in present:
            answer = availability.at_a_glance(entry, device, present)
            if ask and answer.state == "installed":
                answer = availability.usable(entry, device, workload)
            found.append(answer.text)
        installed = [f"{package} {version}" for package, version in versions(entry).items()]
        needs = ", ".join(installed) if entry.name in built_in else "as it needs"
        table.add_row(entry.name, entry.tier, *found, needs)
    return table


def missing(entries: "Sequence[Entry]", present: "Sequence[str]") -> list[str]:
    """The devices that this machine does not have, a line for each."""
    from bench.worker import availability

    absent = [kind for kind in availability.KINDS if kind not in present]
    return [f"{kind}: {availability.at_a_glance(entries[0], kind, present).text}" for kind in absent]


def networks(workloads: "Mapping[str, Workload]") -> "Table":
    """The networks by name, with what an epoch of each asks for."""
    from rich.table import Table

    from bench.data.networks import describe, describe_optimiser

    table = Table(*COLUMNS, box=None)
    table.padding = (0, 2, 0, 0)
    table.columns[0].no_wrap = True
    for workload in workloads.values():
        table.add_row(
            workload.name, str(workload.document or "-"), " - ".join(map(describe, workload.layers)),
            f"{workload.parameters:,}", f"{workload.flops * IMAGES * (1 - workload.validation) / 1e9:,.1f}",
            str(workload.batch_size), str(workload.epochs), describe_optimiser(workload.optimiser),
        )  # fmt: skip
    return table


@app.command("list")
def list_(
    file: WorkloadFile = None,
    devices: Annotated[
        bool,
        typer.Option("--devices", metavar="", help="Start each framework and ask it what it can use; takes a minute."),
    ] = False,
    python: Pythons = None,
) -> None:
    """Show the implementations, the devices that they can use here, and the networks."""
    say(text(file, shutil.get_terminal_size().columns if sys.stdout.isatty() else 140, devices, python or ()))
