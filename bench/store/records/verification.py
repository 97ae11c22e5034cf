"""What is kept of a verification: each check and the verdict."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One comparison with the oracle: a relative deviation and its limit, or neither where it is yes or no."""

    name: str
    figure: float | None
    limit: float | None
    passed: bool
    note: str


@dataclass(frozen=True)
class Verification:
    """Whether an implementation does a workload's work. ``status`` is ``skipped`` where that could not be asked.

    ``seed`` drew samples and start weights, ``threads`` is what the process was given.
    """

    implementation: str
    workload: str
    device: str
    digest: str
    status: Literal["passed", "failed", "skipped"]
    reason: str
    checks: tuple[Check, ...] = ()
    seed: int | None = None
    threads: int | None = None
