"""Where a sweep looks: which networks are made from one, and how many steps each is asked for."""

from dataclasses import replace

from synthetic import WORKLOAD

from bench.store.records.sweep import SweepPoint
from bench.worker.jobs import sweep
from impls.workload import Conv, Dense, Dropout, Pool, Workload

CNN = replace(WORKLOAD, name="cnn", layers=(Conv(8, 5), Pool(2), Dense(100, "relu"), Dropout(0.5), Dense(10)))
LINEAR = replace(WORKLOAD, name="linear", layers=(Dense(10),))


def made(base: Workload, n_train: int = 60_000) -> list[tuple[Workload, SweepPoint]]:
    return list(sweep.points(base, n_train))


def test_both_axes_meet_in_the_network_itself_which_is_one_point() -> None:
    """Batch sizes at its own widths, widths at its own batch size, and the narrowest with batches of one image."""
    places = [(point.batch_size, point.width) for _, point in made(WORKLOAD) if not point.held_out]
    assert places == [(size, 128) for size in (1, 4, 16, 64, 256, 1024, 4096)] + [
        (64, 32),
        (64, 512),
        (64, 2048),
        (1, 32),
    ]


def test_a_network_off_the_grid_is_a_point_of_its_own() -> None:
    """Its step is what the overhead is a share of."""
    own = replace(WORKLOAD, batch_size=15, layers=(Dense(60, "relu"), Dense(10)))
    places = [(point.batch_size, point.width) for _, point in made(own)]
    assert places.count((15, 60)) == 1 and (16, 60) in places and (15, 128) in places


def test_one_point_is_held_out_and_costs_next_to_no_arithmetic() -> None:
    """One image, layers of one unit. A convolution would cost more than the overhead, so it has none."""
    (apart,) = [(network, point) for network, point in made(WORKLOAD) if point.held_out]
    assert (apart[1].batch_size, apart[1].width) == (1, 1)
    assert apart[1].flops < WORKLOAD.flops / 50
    assert not [point for _, point in made(CNN) if point.held_out]


def test_without_hidden_layers_there_is_the_batch_axis_alone() -> None:
    """And no width."""
    found = [point for _, point in made(LINEAR)]
    assert {point.width for point in found} == {None} and len(found) == len(sweep.BATCHES)
    assert not any(point.held_out for point in found)


def test_a_call_has_full_batches_and_at_most_the_steps_of_the_networks_own_epoch() -> None:
    """So that a batch of one is not asked for 60,000 steps; and dear points are asked for fewer, at least for one."""
    found = {(point.batch_size, point.width): point for _, point in made(WORKLOAD)}
    assert all(point.images == point.steps * point.batch_size for point in found.values())
    assert found[1, 128].steps == found[1, 1].steps == sweep.STEPS
    assert 10 <= found[4096, 128].steps < 20 and 10 <= found[64, 2048].steps < 40
    assert {point.steps for _, point in made(WORKLOAD, 640) if point.batch_size == 1} == {10}
    assert all(point.steps >= 1 for _, point in made(CNN, 200))


def test_a_point_says_what_its_network_is() -> None:
    """Parameters and arithmetic are those of the network that is trained."""
    for network, point in made(WORKLOAD):
        assert (point.parameters, point.flops) == (network.parameters, network.flops)
        assert point.batch_size == network.batch_size
