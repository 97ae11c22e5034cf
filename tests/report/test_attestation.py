"""What the timed epochs themselves say: whose losses, accuracy or time of predicting is not that of correct programs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import WORKLOAD, result

from bench.report import attestation
from bench.report.attestation import ANY, attested, envelope
from bench.store import archive
from bench.store.records.training import Epoch, TrainingResult
from impls.workload import Dropout

ROOT = Path(__file__).parents[2]
PYTORCH, KERAS = "matched-pytorch", "matched-keras"
LIMITS = {
    name: envelope().limits[WORKLOAD.name, "given", name].apart for name in ("train_loss", "test_loss", "accuracy")
}
RATIO, SHARE = (envelope().limits[ANY, "", name].apart for name in ("predict_ratio", "predict_share"))


def changed(found: TrainingResult, number: int = 2, **changes: Any) -> TrainingResult:
    """The result with one epoch changed."""
    epochs = tuple(replace(epoch, **changes) if epoch.epoch == number else epoch for epoch in found.epochs)
    return replace(found, epochs=epochs)


def with_times(found: TrainingResult, train_s: float, predict_s: Sequence[float], again_s: float) -> TrainingResult:
    """The result with the times of its epochs: training, predicting after each, and predicting at once again."""
    pairs = zip(found.epochs[1:], predict_s, strict=True)
    timed = [replace(epoch, train_s=train_s, predict_s=one, again_s=again_s) for epoch, one in pairs]
    return replace(found, epochs=(found.epochs[0], *timed))


def whole(name: str = PYTORCH, block: int = 1, **changes: Any) -> TrainingResult:
    """A result whose predictions take as long after an epoch as at once again."""
    return with_times(result(name, block, **changes), 1.0, (0.1, 0.1, 0.1), 0.1)


def judged(found: TrainingResult, reference: TrainingResult | None = None) -> tuple[str, str]:
    """The verdict on a result beside a reference with its control, by default matched-pytorch."""
    beside = reference or whole()
    control = replace(beside, cell=replace(beside.cell, role="control"))
    return attested([found, beside, control])[found.cell.key]


def test_correct_programs_are_attested_with_figures() -> None:
    """The reference, the control and who is as near to it as correct programs are."""
    near = changed(whole(KERAS), train_loss=0.15 + 0.5 * LIMITS["train_loss"])
    verdicts = attested([whole(), whole(role="control"), near])
    assert {answer for answer, _ in verdicts.values()} == {"yes"}
    assert verdicts[whole().cell.key][1] == (
        "it is the reference of its block; predicting takes 0.100 s after an epoch and 0.100 s at once again"
    )
    reason = verdicts[near.cell.key][1]
    assert reason.startswith("its mean training loss of epoch 2 is 0.00") and "nats apart; predicting takes" in reason


@pytest.mark.parametrize("quantity", LIMITS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_epoch_beyond_the_envelope_is_not_attested(quantity: str, sign: int) -> None:
    """In either direction, in any epoch that both have; just within it is."""
    value = getattr(whole().epochs[3], quantity)
    for times, answer in ((0.99, "yes"), (1.01, "no")):
        off = changed(whole(KERAS), 3, **{quantity: value + sign * times * LIMITS[quantity]})
        assert judged(off)[0] == answer


def test_the_reason_is_a_sentence_with_figures() -> None:
    """What it is, what the reference's is, how far apart correct programs are."""
    answer, reason = judged(changed(whole(KERAS), 1, train_loss=0.4))
    assert answer == "no"
    allowed = attestation.shown("train_loss", LIMITS["train_loss"])
    assert reason == (
        "its mean training loss of epoch 1 is 0.400 nats, that of matched-pytorch 0.300 nats; "
        f"correct programs are at most {allowed} apart"
    )


def test_a_loss_that_is_no_number_is_not_attested_unless_the_reference_has_none_either() -> None:
    """Both may diverge; one alone does other work."""
    lost = {"train_loss": None, "test_loss": None}
    assert judged(changed(whole(KERAS), **lost))[0] == "no"
    assert judged(changed(whole(KERAS), **lost), changed(whole(), **lost))[0] == "yes"


def test_epochs_that_the_reference_does_not_have_are_not_compared() -> None:
    """And a program that has none in common with it is not judged."""
    more = replace(whole().epochs[3], epoch=4, train_loss=9.0)
    assert judged(replace(whole(KERAS), epochs=(*whole().epochs, more)))[0] == "yes"
    untrained = replace(whole(KERAS), epochs=whole().epochs[:1])
    assert judged(untrained)[1].startswith("it has no epoch with figures in common with matched-pytorch")


def test_who_shuffles_by_itself_may_be_as_far_off_as_seeds_are() -> None:
    """The tutorials' programs, and whoever drops units; the envelope was measured for the tutorials' networks."""
    off = 0.15 + 2 * LIMITS["train_loss"]
    assert judged(changed(whole(KERAS), train_loss=off))[0] == "no"
    assert judged(changed(whole("documented-keras"), train_loss=off))[0] == "yes"
    assert judged(changed(whole("documented-keras"), train_loss=1.0))[0] == "no"
    dropping = replace(
        WORKLOAD, name="mlp-128-64-dropout", layers=(WORKLOAD.layers[0], Dropout(0.5), *WORKLOAD.layers[1:])
    )
    assert judged(changed(whole(KERAS, workload=dropping), train_loss=off), whole(workload=dropping))[0] == "yes"


@pytest.mark.parametrize("other", [{"data": "fashion"}, {"workload": replace(WORKLOAD, name="mine")}])
def test_on_other_networks_and_data_the_widest_envelope_holds(other: dict[str, Any]) -> None:
    """Nothing was measured there, so that programs with an order of their own are not judged."""
    off = 0.15 + 2 * LIMITS["train_loss"]
    assert judged(changed(whole(KERAS, **other), train_loss=off), whole(**other))[0] == "yes"
    assert judged(changed(whole(KERAS, **other), train_loss=1.0), whole(**other))[0] == "no"
    answer, reason = judged(whole("documented-keras", **other), whole(**other))
    assert answer == "not judged" and "was not measured" in reason


def test_the_reference_is_the_matched_program_that_the_control_repeats() -> None:
    """Else the first by name; never one that the gate refused, nor one of another tier, block, device or number of threads."""
    off = changed(whole("matched-zeta"), train_loss=1.0)
    with_control = attested([off, whole("matched-zeta", role="control"), whole(KERAS)])
    assert [answer for answer, _ in with_control.values()] == ["yes", "no", "no"]
    assert [answer for answer, _ in attested([off, whole(KERAS)]).values()] == ["no", "yes"]
    refused = [(KERAS, WORKLOAD.name, "cpu")]
    assert [answer for answer, _ in attested([off, whole(KERAS)], refused).values()] == ["yes", "no"]
    for other in (whole("tuned-jax"), whole(block=2), whole(threads=1), result(status="failed"), whole(role="control")):
        mine = whole("mine")
        assert attested([mine, other])[mine.cell.key][1].startswith("no matched program was measured in its block")


def test_what_did_not_end_and_yardsticks_are_not_judged() -> None:
    """There is no work to compare."""
    assert judged(result(KERAS, status="failed")) == ("not judged", "it failed")
    assert judged(result(KERAS, status="skipped")) == ("not judged", "it was skipped")
    null = replace(changed(whole("null"), train_loss=0.0), switches={"takes_order": False})
    assert judged(null) == ("not judged", "it is a yardstick, which trains nothing")


def test_work_put_off_until_the_prediction_is_not_attested() -> None:
    """A third of an epoch takes many times what predicting at once again does."""
    late = with_times(whole(KERAS), 2 / 3, [0.1 + 1 / 3] * 3, 0.1)
    answer, reason = judged(late)
    assert answer == "no"
    assert reason == (
        "predicting takes 0.433 s after an epoch and 0.100 s at once again: work worth 50 % of an epoch's time was put "
        "off until then"
    )
    reference = with_times(whole(), 2 / 3, [0.1 + 1 / 3] * 3, 0.1)
    assert attested([reference])[reference.cell.key][0] == "no"


def test_noise_and_trifles_are_no_work_that_was_put_off() -> None:
    """A factor of 1.5; a single slow prediction of three; many times of next to nothing; just within either limit."""
    for predict_s, again_s in (
        ([0.15] * 3, 0.1), ([9.0, 0.1, 0.1], 0.1), ([0.01] * 3, 0.001),
        ([0.99 * RATIO * 0.4] * 3, 0.4), ([0.99 * SHARE + 0.001] * 3, 0.001),
    ):  # fmt: skip
        assert judged(with_times(whole(KERAS), 1.0, predict_s, again_s))[0] == "yes"
    assert judged(with_times(whole(KERAS), 1.0, [1.01 * max(RATIO * 0.1, 0.1 + SHARE)] * 3, 0.1))[0] == "no"


def test_results_without_a_second_prediction_are_not_judged_unless_their_losses_are_wrong() -> None:
    """As all are that were stored before there was one."""
    assert judged(result(KERAS)) == ("not judged", "it did not predict at once again after its epochs")
    assert judged(changed(result(KERAS), train_loss=1.0))[0] == "no"


@pytest.mark.parametrize(
    "directory", sorted(path.parent for path in ROOT.glob("results/*/cells")), ids=lambda path: path.name
)
def test_what_is_committed_is_attested_or_not_judged(directory: Path) -> None:
    """No process of the stored runs is outside of the envelope."""
    found = [one for one in archive.results(directory) if isinstance(one, TrainingResult)]
    refused = {key: reason for key, (answer, reason) in attested(found).items() if answer == "no"}
    assert found and refused == {}


def test_an_epoch_without_a_time_is_not_one_that_was_timed() -> None:
    """Epoch 0, before any training, is never compared."""
    odd = replace(whole(KERAS), epochs=(Epoch(0, None, None, 0.2, None, 9.0, 0.9), *whole(KERAS).epochs[1:]))
    assert judged(odd)[0] == "yes"
