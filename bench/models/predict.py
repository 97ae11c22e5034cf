"""What trained networks predict for images: each framework in a process of its own, several of them side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import unknown
from bench.machine.cpus import available_cpus
from bench.models.find import NamedModel
from bench.worker import interpreters, process
from bench.worker.messages import Logits
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Predict
from impls import registry
from impls.oracle import training
from impls.registry import Entry

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Prediction:
    """One network's answer in one framework; ``logits [n, 10]`` where ``status`` is ``ok``, else there is a reason."""

    network: NamedModel
    by: str
    status: str
    reason: str = ""
    logits: NDArray[np.float64] | None = None

    def probabilities(self, image: int) -> NDArray[np.float64] | None:
        """Of the ten digits, for the image at that position; the softmax is ours in every framework."""
        if self.logits is None:
            return None
        p: NDArray[np.float64] = np.exp(training.log_softmax(self.logits[image : image + 1]))[0]
        return p


def predictors(names: Sequence[str]) -> list[str]:
    """The frameworks that ``--with`` names, each once. Raises FcnBenchError for an unknown one."""
    known = registry.predictors()
    for name in names:
        if name not in known:
            raise unknown("framework", name, known)
    return list(dict.fromkeys(names))


def default_predictor(network: NamedModel, rows: Sequence[Entry]) -> str:
    """The framework that predicts where ``--with`` names none: the one that trained the network.

    What is not built in may have been trained by anything: the first framework that is installed takes that.
    """
    model = network.model
    trained = next((row for row in registry.BUILT_IN if row.name == model.implementation), None)
    for row in rows:
        if trained and (row.framework, row.environment) == (trained.framework, trained.environment):
            return row.short
    installed = [row.short for row in rows if "not installed" not in interpreters.versions(row).values()]
    return next((short for short in (model.framework, *installed) if short in installed), rows[0].short)


def ask(
    networks: Sequence[NamedModel], names: Sequence[str], rows: Sequence[Entry], images: Images, device: str,
    timeout_s: float, folder: Path,
) -> list[Prediction]:  # fmt: skip
    """Predict ``images``, uint8 ``[n, 28, 28]``, by each network in each framework of ``names``, else in its own.

    ``folder`` is for what the processes read and for their logs.
    """
    wanted = [(network, by) for network in networks for by in names or [default_predictor(network, rows)]]
    groups = {row.short: [network for network, by in wanted if by == row.short] for row in rows}
    np.savez(folder / "images.npz", images=images)

    def predict(row: Entry, cpus: tuple[int, ...]) -> list[Logits]:
        paths = tuple(str(network.path.resolve()) for network in groups[row.short])
        request = Predict(entry_point(row), str(folder / "images.npz"), paths, device)
        log = folder / f"predict.{row.short}.log"
        return process.ask(row, request, Placement(device, cpus), log, timeout_s).parts(Logits, len(paths))

    jobs = [row for row in rows if groups[row.short]]
    predictions: dict[tuple[str, Path], Prediction] = {}
    for row, answers in process.run_all(jobs, predict, available_cpus(), len(jobs)):
        for network, answer in zip(groups[row.short], answers, strict=True):
            predictions[row.short, network.path] = prediction(network, row.short, answer, len(images))
    return [predictions[by, network.path] for network, by in wanted]


def prediction(network: NamedModel, by: str, answer: Logits, images: int) -> Prediction:
    """A worker's answer about one network; it failed where there are not ten logits for each of the images."""
    if answer.status != "ok":
        return Prediction(network, by, answer.status, answer.reason)
    if [len(row) for row in answer.values] != [10] * images:
        return Prediction(network, by, "failed", f"its logits are not [{images}, 10]")
    return Prediction(network, by, "ok", logits=np.array(answer.values, np.float64))
