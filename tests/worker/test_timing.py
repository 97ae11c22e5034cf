"""The timed loop: a scripted implementation and a clock that only its calls move, so that every time is exact."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from bench.data.holdout import Parts
from bench.store.records.training import Epoch, Evaluation, Predicted
from bench.worker import timing
from bench.worker.jobs import train as jobs_train
from bench.worker.timing import Scoring

LABELS = np.array([3, 0, 9, 1, 3], np.uint8)
SCORING = Scoring(LABELS, Parts(5), batch_size=2)
SYNC_NS, TRAIN_NS, PREDICT_NS = 7, 1_000_000_000, 20_000_000
SECOND = 1_000_000_000


def logits_for(labels: Any) -> Any:
    """Logits that are right for all labels."""
    return np.eye(10, dtype=np.float32)[labels]


class Script:
    """Says what it is told to say and writes down who called; each call moves the clock by a fixed time."""

    def __init__(self, losses: list[Any], logits: Any = None) -> None:
        self.losses, self.logits = list(losses), logits_for(LABELS) if logits is None else logits
        self.calls: list[str] = []
        self.orders: list[Any] = []
        self.now = self.cpu = 0

    def train_epoch(self, order: Any) -> Any:
        self.pass_time("train", TRAIN_NS)
        self.orders.append(order)
        return self.losses.pop(0)

    def predict(self) -> Any:
        self.pass_time("predict", PREDICT_NS)
        return self.logits

    def sync(self) -> None:
        self.pass_time("sync", SYNC_NS)

    def pass_time(self, call: str, duration_ns: int) -> None:
        self.calls.append(call)
        self.now += duration_ns
        self.cpu += 3 * duration_ns

    def clock(self) -> int:
        self.calls.append("clock")
        return self.now

    def cpu_clock(self) -> int:
        self.calls.append("cpu")
        return self.cpu


def run(script: Script, epochs: int) -> list[Any]:
    """All epochs of a script whose training set has six images."""
    orders = [np.arange(6) + epoch for epoch in range(epochs)]
    rows = jobs_train.epochs(script, orders, SCORING, epochs, script.clock, script.cpu_clock)  # type: ignore[arg-type]
    return [row for row in rows if not isinstance(row, Predicted)]


def test_an_epoch_lasts_as_long_as_its_training_and_the_sync_after_it() -> None:
    """What the device still has to do when ``train_epoch`` returns is part of the time; what it did before is not."""
    _, first, second = run(Script([1.0, 0.5]), 2)
    assert first.train_s == second.train_s == (TRAIN_NS + SYNC_NS) / SECOND


def test_cpu_time_is_that_of_the_same_interval() -> None:
    """The CPU clock covers the training and its sync, like the other clock."""
    _, first = run(Script([1.0]), 1)
    assert first.train_cpu_s == 3 * (TRAIN_NS + SYNC_NS) / SECOND


def test_prediction_lasts_as_long_as_predict_and_the_sync_after_it() -> None:
    """Every epoch has the time of its prediction, epoch 0 too."""
    assert [epoch.predict_s for epoch in run(Script([1.0]), 1)] == [(PREDICT_NS + SYNC_NS) / SECOND] * 2


def test_calls_come_in_the_order_that_makes_the_times_fair() -> None:
    """The device is idle at each reading, and only the named call and its sync lie between two readings."""
    script = Script([1.0])
    run(script, 1)
    predict = ["sync", "clock", "predict", "sync", "clock"]
    train = ["sync", "cpu", "clock", "train", "sync", "clock", "cpu"]
    assert script.calls == predict + train + predict + predict


def test_epoch_0_is_before_any_training() -> None:
    """It has a prediction and its score, and neither a training time nor a training loss."""
    before = run(Script([]), 0)
    assert len(before) == 1
    assert (before[0].epoch, before[0].train_s, before[0].train_cpu_s, before[0].train_loss) == (0, None, None, None)
    assert before[0].accuracy == 1.0


def test_epochs_are_numbered_and_carry_their_own_loss() -> None:
    """The loss that ``train_epoch`` returned stands in the row of that epoch."""
    rows = run(Script([2.0, np.float32(0.5)]), 2)
    assert [(row.epoch, row.train_loss) for row in rows[1:]] == [(1, 2.0), (2, 0.5)]


def test_each_epoch_gets_its_own_order() -> None:
    """Orders are handed on as they come, one an epoch."""
    script = Script([1.0, 1.0])
    run(script, 2)
    assert [list(order) for order in script.orders] == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]


def test_an_epoch_is_told_before_the_next_one_begins() -> None:
    """A process that dies later has reported what it had done: nothing is held back."""
    script = Script([1.0, 1.0])
    rows = jobs_train.epochs(script, [np.arange(6)] * 2, SCORING, 2, script.clock, script.cpu_clock)  # type: ignore[arg-type]
    assert next(rows).epoch == 0 and "train" not in script.calls
    assert next(rows).epoch == 1 and script.calls.count("train") == 1


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_missing(loss: float) -> None:
    """JSON has no NaN, and a missing value must not look like a number."""
    assert run(Script([loss]), 1)[1].train_loss is None


@pytest.mark.parametrize("shape", [(5,), (4, 10), (5, 9), (5, 11), (10, 5), (5, 10, 1)])
def test_logits_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """The message has the shape that came and the one that was expected."""
    with pytest.raises(ValueError) as refused:
        run(Script([], logits=np.zeros(shape, np.float32)), 0)
    assert str(shape) in str(refused.value) and "(5, 10)" in str(refused.value)


def test_the_score_is_the_mean_cross_entropy_and_the_share_that_is_right() -> None:
    """The same figures as SciPy's log-softmax gives, on random logits and labels."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 4, (500, 10)).astype(np.float32)
    labels = random.integers(0, 10, 500).astype(np.uint8)
    expected = [-log_softmax(row.astype(float))[label] for row, label in zip(logits, labels, strict=True)]
    hits = [max(range(10), key=lambda digit: row[digit]) == label for row, label in zip(logits, labels, strict=True)]
    loss, accuracy = timing.score(logits, labels)
    assert loss == pytest.approx(np.mean(expected), rel=1e-12)
    assert accuracy == sum(hits) / 500
    assert 0 < accuracy < 1


def test_a_constant_per_row_does_not_change_the_score() -> None:
    """Logits are free up to a constant: log-probabilities score like the logits that they were made of."""
    random = np.random.default_rng(2)
    logits = random.normal(0, 4, (50, 10))
    labels = random.integers(0, 10, 50).astype(np.uint8)
    loss, accuracy = timing.score(logits, labels)
    for shifted in (logits + random.normal(0, 100, (50, 1)), log_softmax(logits, axis=1)):
        assert timing.score(shifted, labels) == (pytest.approx(loss, rel=1e-10), accuracy)


def test_large_logits_do_not_overflow() -> None:
    """A logit that float32 can just hold gives a finite loss; its exponential would be far out of range."""
    logits = np.zeros((5, 10), np.float32)
    logits[:, 0] = 3e38
    loss, accuracy = timing.score(logits, LABELS)
    assert loss == pytest.approx(0.8 * 3e38)
    assert accuracy == 0.2


def test_a_class_that_is_ruled_out_does_no_harm() -> None:
    """A logit of minus infinity is a probability of 0: fine for a wrong class, no finite loss for the right one."""
    logits = logits_for(LABELS)
    logits[:, 5] = -np.inf
    loss, accuracy = timing.score(logits, LABELS)
    assert loss == pytest.approx(math.log(math.e + 8) - 1)
    assert accuracy == 1.0
    logits[0, LABELS[0]] = -np.inf
    assert timing.score(logits, LABELS) == (None, 0.8)


def test_infinite_logits_have_no_loss_but_an_accuracy() -> None:
    """Infinity less infinity is no number: the loss is missing, in silence, and the largest logit still wins."""
    logits = logits_for(LABELS)
    logits[logits == 1] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert timing.score(logits, LABELS) == (None, 1.0)


def test_logits_that_are_no_numbers_are_no_digit() -> None:
    """The image is not recognised, whatever its label, and no digit is kept of any; an infinite one is none either."""
    logits = logits_for(LABELS)
    assert timing.predicted(logits, SCORING) == Predicted("30913")
    logits[1] = np.nan
    assert timing.score(logits, LABELS) == (None, 0.8)
    assert timing.predicted(logits, SCORING) == Predicted("")
    logits[1] = np.inf
    assert timing.predicted(logits, SCORING) == Predicted("")


HELD = Scoring(LABELS, Parts(3, 1), batch_size=2, every=2)


def looked_at(script: Script, scoring: Scoring, epochs: int = 1) -> list[Any]:
    """All rows of a script whose training set has six images, three batches."""
    rows = jobs_train.epochs(script, [np.arange(6)] * epochs, scoring, epochs, script.clock, script.cpu_clock)  # type: ignore[arg-type]
    return [row for row in rows if not isinstance(row, Predicted)]


def test_images_held_out_are_looked_at_every_so_many_batches() -> None:
    """Before training, after two batches, and with the last batch of the epoch, for each epoch anew."""
    rows = [row for row in looked_at(Script([1.0] * 4), HELD, epochs=2) if isinstance(row, Evaluation)]
    assert [(row.epoch, row.batches) for row in rows] == [(0, 0), (1, 2), (1, 3), (2, 5), (2, 6)]


def test_an_interrupted_epoch_trains_on_the_same_images_in_the_same_order() -> None:
    """The pieces of the order, put together, are the order."""
    script = Script([1.0, 1.0])
    looked_at(script, HELD)
    assert [list(order) for order in script.orders] == [[0, 1, 2, 3], [4, 5]]


def test_looking_at_images_held_out_is_not_timed() -> None:
    """The epoch's time is that of its two pieces of training and their syncs, without the prediction between them."""
    epoch = [row for row in looked_at(Script([1.0, 1.0]), HELD) if isinstance(row, Epoch)][1]
    assert epoch.train_s == 2 * (TRAIN_NS + SYNC_NS) / SECOND
    assert epoch.predict_s == (PREDICT_NS + SYNC_NS) / SECOND


def test_mean_loss_of_an_interrupted_epoch_is_over_its_samples() -> None:
    """Four samples at 1.0 and two at 4.0 have the mean 2.0; each piece's own loss stands with its evaluation."""
    rows = looked_at(Script([1.0, 4.0]), HELD)
    assert next(row for row in rows if isinstance(row, Epoch) and row.epoch == 1).train_loss == 2.0
    assert [row.train_loss for row in rows if isinstance(row, Evaluation)] == [None, 1.0, 4.0]


def test_each_part_of_the_predicted_images_is_scored_apart() -> None:
    """The test set's accuracy does not know the images held out, nor do they know the test set."""
    wrong = logits_for((LABELS + np.array([0, 1, 1, 0, 1])) % 10)
    epoch, evaluation = looked_at(Script([], logits=wrong), HELD, epochs=0)
    assert epoch.accuracy == pytest.approx(1 / 3)
    assert (evaluation.validation_accuracy, evaluation.train_accuracy) == (1.0, 0.0)


def test_without_images_held_out_there_is_nothing_to_look_at() -> None:
    """A workload without a validation share has epochs only."""
    assert all(isinstance(row, Epoch) for row in looked_at(Script([1.0]), SCORING))


class Slower(Script):
    """A script whose first prediction takes ten times as long, as where something is traced."""

    def predict(self) -> Any:
        if "predict" not in self.calls:
            self.now += 9 * PREDICT_NS
        return super().predict()


def timed(script: Script) -> Any:
    """What is measured of a script that predicts five images."""
    return timing.inference(script, 5, clock=script.clock)  # type: ignore[arg-type]


def test_the_first_prediction_stands_apart_from_those_that_are_repeated() -> None:
    """Tracing and compiling are in no other; each call and its sync is kept, raw."""
    found = timed(Slower([]))
    assert (found.images, found.first_s) == (5, (10 * PREDICT_NS + SYNC_NS) / SECOND)
    assert set(found.seconds) == {(PREDICT_NS + SYNC_NS) / SECOND}


def test_the_device_is_idle_at_each_reading_of_a_repeated_prediction() -> None:
    """Nothing but the prediction and its sync lies between two readings, and no clock is read besides."""
    script = Script([])
    found = timed(script)
    assert script.calls == ["sync", "clock", "predict", "sync", "clock"] * (1 + len(found.seconds))


@pytest.mark.parametrize(
    ("predict_ns", "number"), [(0, 100), (1_000_000, 100), (5_000_000 - SYNC_NS, 50), (SECOND, 10), (60 * SECOND, 10)]
)
def test_a_prediction_is_repeated_for_about_a_quarter_of_a_second(
    predict_ns: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not more than 100 times, nor fewer than 10; by the clock that was given."""
    monkeypatch.setitem(globals(), "PREDICT_NS", predict_ns)
    assert len(timed(Script([])).seconds) == number


def test_a_program_that_predicts_another_test_set_is_not_timed() -> None:
    """Figures of ten thousand images must not be shown as those of one."""
    script = Script([], logits=np.zeros((7, 10), np.float32))
    with pytest.raises(ValueError, match=r"shape \(7, 10\), expected \(5, 10\)"):
        timed(script)
    assert script.calls.count("predict") == 1
