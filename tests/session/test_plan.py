"""Which cells there are, in which order, and what their digests stand for."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.session import digest, plan
from bench.session.plan import Plan
from bench.store.records.cell import Cell
from bench.worker import interpreters
from impls.registry import Entry
from impls.workload import Adam, Dense, Workload

ENTRIES = tuple(
    Entry(f"{tier}-{name}", tier, name, f"nowhere.{tier}.{name}", packages=("numpy",))
    for tier, name in [("documented", "a"), ("matched", "a"), ("matched", "b"), ("tuned", "c")]
)


@pytest.fixture(autouse=True)
def forgets() -> Iterator[None]:
    """Sources and versions are read once in a program's life; here they change."""
    caches = (digest.module_code, interpreters.package_version)
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def make(tiny: Workload) -> Callable[..., Plan]:
    """``make(blocks=5, ...)``: a plan in which all that is not given is ordinary."""

    def make(**changes: Any) -> Plan:
        usual: dict[str, Any] = {
            "workloads": [tiny], "entries": ENTRIES, "devices": ["cpu"], "threads": [2], "blocks": 3, "epochs": None,
            "seed": 1, "data": "da7a",
        }  # fmt: skip
        return Plan(**{**usual, **changes})

    return make


def only(made: Plan) -> Cell:
    """The one measured cell of a plan for one implementation and one block."""
    (cell,) = (cell for cell in made.cells() if cell.role == "measured")
    return cell


def in_a_process_of_its_own(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """What a few lines print that nothing ran before."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **variables})


def order(cells: list[Cell], block: int) -> list[tuple[str, str]]:
    """Who runs when in a block."""
    return [(cell.implementation, cell.role) for cell in cells if cell.block == block]


def test_every_block_runs_every_implementation_once_and_the_control(make: Callable[..., Plan]) -> None:
    """For each workload, device and thread count: once each, and the reference once more."""
    cells = make(blocks=4, devices=["cpu", "cuda"], threads=[1, 2]).cells()
    assert len(cells) == 4 * 2 * 2 * (4 + 1)
    for block in (1, 2, 3, 4):
        there = [cell for cell in cells if (cell.block, cell.device, cell.threads) == (block, "cuda", 1)]
        expected = [(entry.name, "measured") for entry in ENTRIES] + [("matched-a", "control")]
        assert Counter((cell.implementation, cell.role) for cell in there) == Counter(expected)


def test_no_two_cells_have_the_same_key(make: Callable[..., Plan], tiny: Workload) -> None:
    """Workload, implementation, device, threads, block and role all tell cells apart."""
    cells = make(workloads=[tiny, replace(tiny, name="other")], devices=["cpu", "cuda", "mps"], threads=[1, 2]).cells()
    assert len({cell.key for cell in cells}) == len(cells) == 2 * 3 * 2 * 3 * 5


def test_blocks_run_one_after_the_other_and_what_is_compared_side_by_side(
    make: Callable[..., Plan], tiny: Workload
) -> None:
    """A stage is finished before the next begins, in it a block, and in that no group is interrupted by another."""
    made = make(workloads=[tiny, replace(tiny, name="other")], threads=[1, 2])
    cells = made.cells()
    assert cells == [cell for stage in made.stages() for cell in made.cells([stage])] and made.stages() == [0, 1, 2]
    positions = [(plan.stage_of(cell.tier, cell.role), cell.block) for cell in cells]
    assert positions == sorted(positions)
    groups = [(*position, *cell.place) for position, cell in zip(positions, cells, strict=True)]
    changes = sum(before != after for before, after in pairwise(groups))
    assert changes == len(set(groups)) - 1


def test_the_order_is_random_but_that_of_the_seed(make: Callable[..., Plan]) -> None:
    """The same seed gives the same order again, whatever else draws random numbers; another seed another one."""
    random.seed(3)
    first = make(blocks=6).cells()
    random.seed(4)
    assert make(blocks=6).cells() == first
    assert [cell.slot for cell in make(blocks=6, seed=2).cells()] != [cell.slot for cell in first]


def test_blocks_have_orders_of_their_own(make: Callable[..., Plan]) -> None:
    """Nobody is always first, and the control is not always last."""
    cells = make(blocks=12).cells([0])
    orders = [order(cells, block) for block in range(1, 13)]
    assert len({tuple(one) for one in orders}) > 3
    assert len({one[0] for one in orders}) == len({one.index(("matched-a", "control")) for one in orders}) == 3


def test_groups_change_places_between_blocks(make: Callable[..., Plan]) -> None:
    """A thread count that always ran first would meet another machine than one that always ran last."""
    cells = make(blocks=12, threads=[1, 2]).cells()
    assert {next(cell.threads for cell in cells if cell.block == block) for block in range(1, 13)} == {1, 2}


def test_the_control_repeats_the_first_matched_implementation_else_the_first(make: Callable[..., Plan]) -> None:
    """It is the reference under another role, with the same digest: the same work."""
    assert plan.reference(ENTRIES).name == "matched-a"
    assert plan.reference(ENTRIES[3:]).name == "tuned-c"
    cells = [cell for cell in make(blocks=1).cells() if cell.implementation == "matched-a"]
    assert {cell.role for cell in cells} == {"measured", "control"}
    assert len({cell.digest for cell in cells}) == 1


def test_with_sweeps_each_block_has_one_of_each_program_that_trains_in_a_given_order(make: Callable[..., Plan]) -> None:
    """Of matched and tuned tiers; the documented one shuffles by itself, and what is not gated has no work to time."""
    null = Entry("tuned-null", "tuned", "null", "nowhere", gated=False)
    cells = make(blocks=12, threads=[1, 2], entries=[*ENTRIES, null], sweep=True).cells()
    assert all(cell.role == "sweep" for cell in cells[-72:])
    swept = Counter((cell.implementation, cell.threads) for cell in cells if cell.role == "sweep")
    assert swept == {(name, threads): 12 for name in ("matched-a", "matched-b", "tuned-c") for threads in (1, 2)}
    assert len({tuple(order(cells, block)) for block in range(1, 13)}) == 12


def test_sweeps_change_no_other_cell(make: Callable[..., Plan]) -> None:
    """Those have the keys that they have without."""
    without, both = make(), make(sweep=True)
    assert {cell.key for cell in both.cells() if cell.role != "sweep"} == {cell.key for cell in without.cells()}


def test_each_role_has_the_code_of_its_own_job(make: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the sweep's or the floor's code leaves what was measured without it valid."""
    floor = Entry("floor-numpy", "floor", "numpy", "impls.floor.numpy", "Floor", ("numpy",), gated=False)
    asked: dict[str, str] = {}
    monkeypatch.setattr(digest, "of_job", lambda job, modules, *facts: asked.setdefault(job, job))
    cells = make(blocks=1, sweep=True, floors=[floor]).cells()
    assert {(cell.role, cell.digest) for cell in cells} == {
        ("measured", "train"), ("control", "train"), ("sweep", "sweep"), ("floor", "floor"),
    }  # fmt: skip


def test_all_implementations_of_a_block_share_its_seed(make: Callable[..., Plan]) -> None:
    """No two blocks do, so that accuracy is seen over seeds."""
    seeds = {(cell.block, cell.seed) for cell in make(blocks=5, seed=7).cells()}
    assert seeds == {(1, 7), (2, 8), (3, 9), (4, 10), (5, 11)}


def test_a_documents_own_seed_goes_first(make: Callable[..., Plan], tiny: Workload) -> None:
    """Where a document fixes a seed, block 1 has that one."""
    cells = make(workloads=[replace(tiny, seed=42)], seed=7, blocks=2).cells()
    assert {(cell.block, cell.seed) for cell in cells} == {(1, 42), (2, 43)}


@pytest.mark.parametrize(("given", "expected"), [(None, 2), (9, 9)])
def test_epochs_are_the_documents_unless_given(make: Callable[..., Plan], given: int | None, expected: int) -> None:
    """The workload for which the plan is made has 2."""
    assert {cell.epochs for cell in make(epochs=given).cells()} == {expected}


def test_a_key_is_readable_and_fit_for_a_file_name(make: Callable[..., Plan]) -> None:
    """All that places the cell, then the digest: no separator, no blank, not too long."""
    cell = only(make(entries=ENTRIES[:1], blocks=1))
    assert cell.key == f"tiny.documented-a.cpu.2t.b01.measured.{cell.digest}"
    assert re.fullmatch(r"[0-9a-f]{10}", cell.digest)
    assert all(re.fullmatch(r"[\w.-]{1,200}", one.key) for one in make().cells())


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 21},
        {"test_batch_size": 51},
        {"mean": 0.1},
        {"std": 0.5},
        {"shuffle": False},
        {"loss": "log-softmax-nll"},
        {"optimiser": Adam(0.05)},
        {"layers": (Dense(10, "relu"), Dense(10))},
        {"seed": 3},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_workload_is_another_digest(make: Callable[..., Plan], tiny: Workload, changes: dict[str, Any]) -> None:
    """Every field that changes the work counts, under the same name too."""
    one = {"entries": ENTRIES[:1], "blocks": 1}
    assert only(make(**one)).digest != only(make(workloads=[replace(tiny, **changes)], **one)).digest


@pytest.mark.parametrize("changes", [{"epochs": 3}, {"data": "0123"}, {"threads": [1]}, {"seed": 2}], ids=str)
def test_other_terms_are_another_digest(make: Callable[..., Plan], changes: dict[str, Any]) -> None:
    """Epochs, the data's content, the thread count and the seed would change the answer."""
    one = {"entries": ENTRIES[:1], "blocks": 1}
    assert only(make(**one)).digest != only(make(**one, **changes)).digest


def test_another_environment_is_another_digest(make: Callable[..., Plan]) -> None:
    """A row that sets other variables runs other code in the framework."""
    changed = replace(ENTRIES[0], environment={"KERAS_BACKEND": "jax"})
    digests = [only(make(entries=[entry], blocks=1)).digest for entry in (ENTRIES[0], changed)]
    assert digests[0] != digests[1]


def test_an_edited_source_is_another_digest(make: Callable[..., Plan], tmp_path: Path) -> None:
    """One character in the implementation's file is enough; the same text again is the same digest."""
    path, digests = tmp_path / "mine.py", []
    entry = Entry("mine", "plugin", "mine", str(path))
    for text in ("x = 1", "x = 2", "x = 1"):
        path.write_text(text)
        digest.module_code.cache_clear()
        digests.append(only(make(entries=[entry], blocks=1)).digest)
    assert digests[0] == digests[2] != digests[1]


def test_another_class_of_the_same_file_is_another_digest(make: Callable[..., Plan], tmp_path: Path) -> None:
    """A file may hold several implementations."""
    (tmp_path / "mine.py").write_text("x = 1")
    entry = Entry("mine", "plugin", "mine", str(tmp_path / "mine.py"))
    other = replace(entry, attribute="Other")
    assert len({only(make(entries=[one], blocks=1)).digest for one in (entry, other)}) == 2


@pytest.mark.parametrize(("package", "counts"), [("numpy", True), ("torch", False)])
def test_another_version_of_a_package_is_another_digest(
    make: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, package: str, counts: bool
) -> None:
    """Of the packages that the row names, and of no other."""
    digests = []
    for newer in ("", package):
        interpreters.package_version.cache_clear()
        monkeypatch.setattr(interpreters, "version", lambda name, newer=newer: "2.0" if name == newer else "1.0")
        digests.append(only(make(entries=ENTRIES[:1], blocks=1)).digest)
    assert (digests[0] != digests[1]) is counts


def test_a_package_that_is_not_installed_has_no_version() -> None:
    """Installing it later changes the digest, so that the cell is measured anew."""
    assert interpreters.package_versions(["numpy", "no-such-package"])["no-such-package"] == "not installed"


def test_a_cells_key_depends_on_nothing_around_it(make: Callable[..., Plan], tiny: Workload) -> None:
    """The order, more blocks, other implementations and other thread counts leave its result valid."""
    fixed = {"workloads": [replace(tiny, seed=42)]}  # else the seed of the order would be that of the weights too
    keys = {cell.key for cell in make(**fixed).cells()}
    reordered = make(**fixed, seed=9).cells()
    assert [cell.key for cell in reordered] != [cell.key for cell in make(**fixed).cells()]
    assert {cell.key for cell in reordered} == keys
    assert {cell.key for cell in make(**fixed, blocks=7, threads=[1, 2]).cells()} > keys
    assert {cell.key for cell in make(**fixed, entries=ENTRIES[:2]).cells()} < keys


@pytest.mark.process
def test_digests_are_the_same_in_every_process(make: Callable[..., Plan]) -> None:
    """They do not hang on hash seeds or on the order of dictionaries: results of yesterday stay valid."""
    one = make(entries=ENTRIES[:1], blocks=1)
    code = """
from bench.session.plan import Plan
from impls.workload import SGD, Dense, Workload
from impls.registry import Entry
entry = Entry("documented-a", "documented", "a", "nowhere.documented.a", packages=("numpy",))
tiny = Workload("tiny", 0, (Dense(10),), 0.0, 1.0, 20, 50, 2, SGD(0.05))
print(Plan([tiny], [entry], ["cpu"], [2], 1, None, 1, "da7a").cells()[0].digest)
"""
    done = in_a_process_of_its_own(code, PYTHONHASHSEED="77")
    assert done.stdout.strip() == only(one).digest, done.stderr
