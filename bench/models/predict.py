"""What trained networks say of images: each framework in a process of its own, several of them side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import unknown
from bench.machine.cpus import available_cpus
from bench.models.find import Kept
from bench.worker import interpreters, pool, process
from bench.worker.messages import Logits
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Predict
from impls import registry
from impls.oracle import training
from impls.registry import Entry

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Prediction:
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
    here = [row.short for row in rows if "not installed" not in interpreters.versions(row).values()]
    return next((short for short in (kept.model.framework, *here) if short in here), rows[0].short)


def ask(
    found: Sequence[Kept], names: Sequence[str], rows: Sequence[Entry], images: Images, device: str, timeout_s: float,
    folder: Path,
) -> list[Prediction]:  # fmt: skip
    """What each network says of ``images``, uint8 ``[n, 28, 28]``, in each framework of ``names``, else in its own.

    ``folder`` is for what the processes read and for their logs.
    """
    wanted = [(kept, by) for kept in found for by in names or [own(kept, rows)]]
    groups = {row.short: [kept for kept, by in wanted if by == row.short] for row in rows}
    np.savez(folder / "images.npz", images=images)

    def predict(row: Entry, cpus: tuple[int, ...]) -> list[Logits]:
        paths = tuple(str(kept.path.resolve()) for kept in groups[row.short])
        request = Predict(entry_point(row), str(folder / "images.npz"), paths, device)
        log = folder / f"predict.{row.short}.log"
        return process.ask(row, request, Placement(device, cpus), log, timeout_s).parts(Logits, len(paths))

    jobs = [row for row in rows if groups[row.short]]
    predictions: dict[tuple[str, Path], Prediction] = {}
    for row, answers in pool.run(jobs, predict, available_cpus(), len(jobs)):
        for kept, answer in zip(groups[row.short], answers, strict=True):
            predictions[row.short, kept.path] = prediction(kept, row.short, answer, len(images))
    return [predictions[by, kept.path] for kept, by in wanted]


def prediction(kept: Kept, by: str, answer: Logits, images: int) -> Prediction:
    """What a worker answered of one network; it failed where there are not ten logits for each of the images."""
    if answer.status != "ok":
        return Prediction(kept, by, answer.status, answer.reason)
    if [len(row) for row in answer.values] != [10] * images:
        return Prediction(kept, by, "failed", f"its logits are not [{images}, 10]")
    return Prediction(kept, by, "ok", logits=np.array(answer.values, np.float64))
