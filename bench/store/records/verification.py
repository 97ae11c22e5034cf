"""What is kept of a verification: each check and the verdict."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.store.records import bounds
from impls.environment import slug
from impls.fields import check_at_least, check_finite, check_names


@dataclass(frozen=True)
class Check:
    """One comparison with the oracle: a relative deviation and its limit, or neither where it is yes or no."""

    name: str
    figure: float | None
    limit: float | None
    passed: bool
    note: str

    def __post_init__(self) -> None:
        """Raise ValueError for what is no deviation."""
        check_finite(figure=self.figure, limit=self.limit)


@dataclass(frozen=True)
class Verification:
    """Whether an implementation does a workload's work. ``status`` is ``skipped`` where that could not be asked.

    ``seed`` drew samples and start weights, ``threads`` is what the process was given.
    """

    folder: ClassVar[str] = "gates"

    implementation: str
    workload: str
    device: str
    digest: str
    status: Literal["passed", "failed", "skipped"]
    reason: str
    checks: tuple[Check, ...] = ()
    seed: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been verified."""
        check_names(implementation=self.implementation, workload=self.workload, digest=self.digest)
        bounds.check_device(self.device)
        check_at_least(1, threads=self.threads)
        check_at_least(0, seed=self.seed)

    @property
    def file_name(self) -> str:
        """The name of its file, without the ending."""
        return f"{self.workload}.{self.implementation}.{slug(self.device)}"
