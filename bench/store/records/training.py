"""What is kept of a training run. Units stand in the names. What was not measured is None, never 0."""

from dataclasses import dataclass, field
from typing import Literal

from bench.store.records import bounds
from bench.store.records.cell import Readings, Result
from impls.fields import check, check_at_least, check_finite


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set and the prediction after it; epoch 0 is before any training.

    ``train_loss`` is the mean over samples during training; ``test_loss`` and ``accuracy`` (0 to 1) are computed from
    the logits by the harness. ``train_cpu_s`` is the CPU time that all threads of the process used meanwhile;
    ``readings`` are what meters read around the training. ``again_s`` is predicting once more at once, None before any
    training and where that was not asked: a program that puts work off until its predictions shows there.
    """

    epoch: int
    train_s: float | None
    train_cpu_s: float | None
    predict_s: float
    train_loss: float | None
    test_loss: float | None
    accuracy: float
    readings: Readings = field(default_factory=dict)
    again_s: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_at_least(0, epoch=self.epoch)
        bounds.check_seconds(train_s=self.train_s)
        bounds.check_seconds(0, train_cpu_s=self.train_cpu_s, predict_s=self.predict_s, again_s=self.again_s)
        check_finite(train_loss=self.train_loss, test_loss=self.test_loss)
        bounds.check_shares(accuracy=self.accuracy)
        bounds.check_readings(self.readings)


@dataclass(frozen=True)
class Evaluation:
    """What images held out of training said after ``batches`` steps, where a workload holds some out.

    ``train_loss`` is the mean over the steps since the last evaluation, None before the first; ``train_accuracy`` is
    that of a sample of the training images, which were predicted together with the others.
    """

    epoch: int
    batches: int
    train_loss: float | None
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_at_least(0, epoch=self.epoch, batches=self.batches)
        check_finite(train_loss=self.train_loss, validation_loss=self.validation_loss)
        bounds.check_shares(train_accuracy=self.train_accuracy, validation_accuracy=self.validation_accuracy)


@dataclass(frozen=True)
class Predicted:
    """What the test images were taken for after the last epoch: a digit for each, in their order."""

    digits: str

    def __post_init__(self) -> None:
        """Raise ValueError for what is no digit."""
        bounds.check_digits(digits=self.digits)


@dataclass(frozen=True)
class Inference:
    """Predicting a test set of so many ``images``, after training: the first call, and each of those that followed.

    The first call may trace and compile for a number of images that it has not seen before. ``call`` is what the
    implementation's ``predict`` does with so many images, by its own word; empty where it says nothing, and in results
    of before that was asked, in which one image was predicted as a whole test set is.
    """

    images: int
    first_s: float
    seconds: tuple[float, ...]
    call: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_at_least(1, images=self.images)
        bounds.check_seconds(0, first_s=self.first_s, seconds=self.seconds)


@dataclass(frozen=True)
class TrainingResult(Result):
    """A network that was trained, and what it predicted.

    ``harness`` is who asked for the epochs; there may be more of them than ``cell.epochs``. ``alongside`` is the number
    of other processes of its block that were up, and stopped, while this one trained. ``predicted`` is what the test
    images were taken for when it was trained, a digit for each; empty in results of before it was kept. ``model`` is
    the SHA-256 of the file with the trained network, empty where none was kept (:mod:`bench.store.models`).
    ``inference`` is what was timed apart, one image and one batch of the workload's ``test_batch_size``; empty in
    results of before it was, and in those of the suite. ``no_inference`` is why it is not complete, where that failed:
    the status is of all else, which had been measured by then.
    """

    epochs: tuple[Epoch, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    predicted: str = ""
    model: str = ""
    inference: tuple[Inference, ...] = ()
    no_inference: str = ""
    alongside: int = 0
    harness: Literal["fcnbench", "pytest-benchmark"] = "fcnbench"

    @property
    def trained(self) -> Epoch | None:
        """The epoch with which the network is trained; those that follow are timed, no more. None where it is missing.

        Its accuracy is that of the network, and ``predicted`` and ``model`` are of this moment.
        """
        return self.epochs[self.cell.epochs] if self.cell.epochs < len(self.epochs) else None

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured; of what was measured whole, each epoch once in order."""
        super().__post_init__()
        bounds.check_digits(predicted=self.predicted)
        bounds.check_digest(model=self.model)
        numbers = [epoch.epoch for epoch in self.epochs]
        in_order = self.status != "ok" or numbers == list(range(len(numbers)))
        check(in_order, "epochs", numbers, "each once, in order from 0")
