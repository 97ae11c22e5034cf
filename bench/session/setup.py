"""From a user's options to a plan and a session; what is wrong with them is said before anything is written."""

from collections.abc import Callable
from pathlib import Path

from bench.data import download, mnist
from bench.errors import FcnBenchError
from bench.machine import description, repository
from bench.session import choice, sizing
from bench.session.choice import Options
from bench.session.plan import SWEPT, Plan, swept
from bench.session.session import Session
from bench.worker import availability

QUICK_EPOCHS = 2
REPEATED_S = 20.0
"""Seconds for which the programs of a block are timed when their networks are trained, unless the epochs are given."""


def prepare(options: Options, out: Path, say: Callable[[str], None]) -> tuple[Plan, Session]:
    """The plan and the session that will measure it. Raises FcnBenchError for what cannot be done."""
    blocks = sizing.first_blocks(options)
    chosen = choice.choose(options)
    if options.sweep and not swept(chosen.entries):
        names = ", ".join(entry.name for entry in chosen.entries)
        raise FcnBenchError(
            f"--sweep: of {names} none trains in a given order; add one of the tiers {' and '.join(SWEPT)}"
        )
    availability.check_interpreters([*chosen.entries, *chosen.floors])
    for entry in chosen.entries:
        if entry.is_plugin:
            availability.check_plugin(entry, options.timeout_s)
    data = download.find(options.data, say=say)
    plan = Plan(
        workloads=chosen.workloads,
        entries=chosen.entries,
        devices=chosen.devices,
        threads=chosen.threads,
        blocks=blocks,
        epochs=options.epochs or (QUICK_EPOCHS if options.preset == "quick" else None),
        seed=options.seed,
        data=mnist.describe(data).digest,
        floors=chosen.floors,
        sweep=options.sweep,
        repeated_s=REPEATED_S if options.epochs is None else 0.0,
    )
    entries = {entry.name: entry for entry in (*chosen.entries, *chosen.floors)}
    return plan, Session(out, entries, data, description.machine(), options.timeout_s, repository.commit())
