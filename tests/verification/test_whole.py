"""Whole epochs in float64 show what samples cannot: programs that do other work where an epoch is long."""

import numpy as np
import pytest
from planted import MISTAKES, planted

from bench.data import download, mnist, tutorials
from bench.verification import checks, whole
from bench.verification.candidate import Candidate
from bench.verification.oracle import mixed
from impls.contract import Unavailable
from impls.oracle.training import Implementation

IMAGES, MORE_THAN = 2500, 1000
"""Images of a whole epoch here, and from how many on a planted program does other work: more than the samples have."""
WHERE = {
    "half an epoch": "1 whole epoch in float64",
    "one batch in twenty skipped": "1 whole epoch in float64",
    "every tenth batch repeated": "1 whole epoch in float64",
    "a third trained in predict": "mean loss of 1 whole epoch",
    "a third left running at sync": "mean loss of 1 whole epoch",
    "answer of the epoch before": "logits after 1 whole epoch",
    "first layer frozen": "1 whole epoch in float64",
    "other batches from the second epoch on": "2 whole epochs in float64",
    "8 bits from the second epoch on": "2 whole epochs in float64",
    "state reset in every epoch": "2 whole epochs in float64",
}
"""The first check that each mistake fails."""


@pytest.fixture(scope="module")
def data():
    found = mnist.load(download.find())
    return checks.replace(found, x_train=found.x_train[:IMAGES], y_train=found.y_train[:IMAGES])


@pytest.fixture
def workload():
    return tutorials.networks()["mlp-128-64"]


@pytest.fixture(scope="module")
def whole_epochs(data, tmp_path_factory):
    """``whole_epochs(make, workload)``: the checks in their order; the oracle is asked once by all tests."""
    shared = tmp_path_factory.mktemp("oracle")

    def whole_epochs(make, workload):
        return list(whole.check_whole_epochs(Candidate.of(make, "cpu", 0, shared), workload, data))

    return whole_epochs


def test_correct_program_passes_with_six_figures(whole_epochs, workload):
    """Weights, mean loss and predictions after each of two epochs."""
    made = whole_epochs(Implementation, workload)
    assert len(made) == 6
    assert all(check.passed and check.figure is not None for check in made)


@pytest.mark.parametrize(("mistake", "check"), WHERE.items())
def test_mistake_in_long_epochs_fails_where_it_belongs(mistake, check, whole_epochs, workload):
    """What begins with the second epoch has passed the first; what is computed elsewhere shows in what was returned."""
    made = whole_epochs(planted(mistake, Implementation, MORE_THAN), workload)
    assert next(found.name for found in made if not found.passed) == check


def test_what_begins_later_is_not_seen(whole_epochs, workload):
    """Two epochs say nothing of the sixth: that is for the timed epochs themselves to show."""
    assert set(MISTAKES) - set(WHERE) == {"half an epoch from the sixth on"}
    made = whole_epochs(planted("half an epoch from the sixth on", Implementation, MORE_THAN), workload)
    assert all(check.passed for check in made)


def test_no_other_check_sees_a_mistake_that_samples_do_not_have(data, workload, tmp_path):
    """All the other checks pass a program that trains on half the images of a long epoch."""
    candidate = Candidate.of(planted("half an epoch", Implementation, MORE_THAN), "cpu", 0, tmp_path)
    failed = {check.name for check in checks.verify(candidate, workload, data) if not check.passed}
    assert failed == {
        f"{what}{number}{of}"
        for number in ("1 whole epoch", "2 whole epochs")
        for what, of in (("", " in float64"), ("mean loss of ", ""))
    }


def test_program_without_order_is_judged_in_that_of_the_files(whole_epochs, workload):
    """It trains unshuffled when it is verified, and passes."""

    class OwnOrder(Implementation):
        takes_order = False

        def train_epoch(self, order):
            return super().train_epoch(np.arange(len(order)))

    assert all(check.passed and check.figure is not None for check in whole_epochs(OwnOrder, workload))


def test_what_cannot_be_judged_says_why(whole_epochs, workload):
    """A program without float64, one without it for this network, a network for which NumPy is too slow."""

    class Narrow(Implementation):
        dtypes = ("float32",)

    class NotThisOne(Implementation):
        def __init__(self, workload, device, seed):
            raise Unavailable("no float64 for relu")

    costly = tutorials.networks()["cnn-32-64"]
    notes = [
        whole_epochs(*asked)
        for asked in (
            (Narrow, workload),
            (NotThisOne, workload),
            (Implementation, costly),
        )
    ]
    assert [[check.name for check in made] for made in notes] == [["whole epochs in float64"]] * 3
    assert all(check.passed and check.figure is None for made in notes for check in made)
    assert [made[0].note.partition(",")[0] for made in notes] == [
        "not judged: it declares no float64",
        "not judged: no float64 for relu",
        "not judged: the oracle would need 4e+11 operations",
    ]


def test_arithmetic_decides_for_which_networks_the_oracle_is_asked():
    """All dense networks of the tutorials over all of MNIST, and no convolution; the optimiser's own work counts."""
    own = tutorials.networks()
    asked = {name for name, network in own.items() if whole.arithmetic(network, 60_000) <= whole.WHOLE_FLOPS}
    assert set(own) - asked == {"cnn-32-64"}
    one_by_one = checks.replace(own["mlp-128-64"], batch_size=1)
    assert whole.arithmetic(one_by_one, 60_000) > 3 * whole.arithmetic(own["mlp-128-64"], 60_000)


def test_where_rounding_grows_the_limit_follows(whole_epochs, workload, monkeypatch):
    """What is off by more than usual is held against the oracle rounded in another way."""
    monkeypatch.setattr(whole, "LOCK_FLOOR", 0.0)

    class Rounded(Implementation):
        def train_epoch(self, order):
            return super().train_epoch(mixed(order, self.workload.batch_size, 7))

    weights = [check for check in whole_epochs(Rounded, workload) if check.name.endswith("in float64")]
    assert all(check.passed and 0 < check.figure < check.limit < 1e-12 for check in weights)


def test_frameworks_own_equation_is_accepted_in_whole_epochs(whole_epochs, workload):
    """A program in Keras' form of Adam may run it as published or with betas rounded to float32."""

    class AsPublished(Implementation):
        adam = ("keras", 1e-7)

    class AsKeras(Implementation):
        adam = ("keras", 1e-7)

        def train_epoch(self, order):
            self.adam = ("keras-float32-betas", 1e-7)
            return super().train_epoch(order)

    for make in (AsPublished, AsKeras):
        assert all(check.passed for check in whole_epochs(make, workload))
