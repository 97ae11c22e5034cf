"""What trained networks say of images: each framework in a process of its own, several of them side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import unknown
from bench.models.find import Kept
from bench.worker import pool
from bench.worker.interpreters import versions
from bench.worker.pool import Job
from impls import registry
from impls.oracle import training
from impls.registry import Entry

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Said:
    """What one network says in one framework; ``logits [n, 10]`` where ``status`` is ``ok``, else there is a reason."""

    kept: Kept
    by: str
    status: str
    reason: str = ""
    logits: NDArray[np.float64] | None = None

    def probabilities(self, image: int) -> NDArray[np.float64] | None:
        """Of the ten digits, for the image at that position; the softmax is ours in every framework."""
        if self.logits is None:
            return None
        found: NDArray[np.float64] = np.exp(training.log_softmax(self.logits[image : image + 1]))[0]
        return found


def predictors(names: Sequence[str]) -> list[str]:
    """The frameworks that were asked for by ``--with``. Raises FcnBenchError for an unknown one."""
    known = registry.predictors()
    for name in names:
        if name not in known:
            raise unknown("framework", name, known)
    return list(dict.fromkeys(names))


def own(kept: Kept, rows: Sequence[Entry]) -> str:
    """The short name of what a network is predicted by if nothing else is asked for: the framework that trained it.

    What is not built in may have been trained by anything: the first framework that is installed takes that.
    """
    trained = next((row for row in registry.BUILT_IN if row.name == kept.model.implementation), None)
    for row in rows:
        if trained and (row.framework, row.environment) == (trained.framework, trained.environment):
            return row.short
    here = [row.short for row in rows if "not installed" not in versions(row).values()]
    return next((short for short in (kept.model.framework, *here) if short in here), rows[0].short)


def ask(
    found: Sequence[Kept], names: Sequence[str], rows: Sequence[Entry], images: Images, device: str, timeout_s: float,
    folder: Path,
) -> list[Said]:  # fmt: skip
    """What each network says of ``images``, uint8 ``[n, 28, 28]``, in each framework of ``names``, else in its own.

    ``folder`` is for what the processes read and for their logs.
    """
    asked = [(kept, by) for kept in found for by in names or [own(kept, rows)]]
    groups = {row.short: [kept for kept, by in asked if by == row.short] for row in rows}
    np.savez(folder / "images.npz", images=images)
    jobs = [
        Job(
            "predict",
            row,
            {"images": str(folder / "images.npz"), "models": [str(one.path.resolve()) for one in kept]},
        )
        for row in rows
        if (kept := groups[row.short])
    ]
    answers: dict[tuple[str, Path], Said] = {}
    for job, answer in zip(jobs, pool.run(jobs, device, folder, timeout_s), strict=True):
        kept = groups[job.entry.short]
        for one, end in zip(kept, pool.ends(answer, len(kept), timeout_s), strict=True):
            answers[job.entry.short, one.path] = said(one, job.entry.short, end)
    return [answers[by, kept.path] for kept, by in asked]


def said(kept: Kept, by: str, end: Mapping[str, Any]) -> Said:
    """One answer, with logits only if they are numbers."""
    bare = Said(kept, by, end["status"], end["reason"])
    if bare.status != "ok":
        return bare
    logits = np.array(end["logits"], np.float64)
    if not np.isfinite(logits).all():
        return replace(bare, status="failed", reason="its logits are no finite numbers; did its training diverge?")
    return replace(bare, logits=logits)
