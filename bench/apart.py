"""Questions that a run puts to a framework beside its cells, each in a process of its own, about one network."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench import environment, launch, plan, store
from bench.launch import Answer
from bench.plan import Plan
from bench.run import Session
from impls.contract import Workload
from impls.registry import Entry


def digest(entry: Entry, workload: Workload, wanted: Plan, modules: Sequence[str], variables: Mapping[str, str]) -> str:
    """What would change an answer: versions, the sources of ``modules``, data, the environment."""
    return plan.digest(
        asdict(workload), wanted.data, [plan.module_digest(module) for module in modules], plan.versions(entry),
        variables,
    )  # fmt: skip


def ask(
    job: str,
    entry: Entry,
    workload: Workload,
    session: Session,
    variables: Mapping[str, str],
    threads: int,
    name: str,
    **asked: Any,
) -> Answer:
    """What a worker answers to a ``job`` about the network, the data and what else is given; ``name`` is its log's."""
    log = session.directory / "logs" / f"{name}.log"
    with store.writing(log):
        return launch.launch(
            launch.request(job, entry, workload=asdict(workload), data=str(session.data), **asked),
            variables,
            environment.available_cpus()[:threads],
            log,
            session.timeout_s,
            launch.command(entry),
        )
