"""What disturbed the cells, in words, from records made by hand."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from synthetic import READINGS, result, runs, save

from bench.report import build
from bench.report.chapters import cells
from bench.store.records.training import TrainingResult


def crowded(
    others: float, threads: int = 2, cpus: int | None = 2, implementation: str = "matched-keras"
) -> pd.DataFrame:
    """Runs of which one process had so many CPUs taken by other programs, of so many that the machine has."""
    found = result(implementation, threads=threads)
    assert found.phases.process_s is not None
    readings = READINGS | {"cpus": cpus, "others_cpu_s": others * found.phases.process_s}
    return runs([replace(found, readings=readings), result("matched-pytorch")])


def test_a_core_that_another_program_kept_busy_is_told_with_what_to_do() -> None:
    """Where it left fewer CPUs than the process had threads."""
    said = "1 process had fewer CPUs than threads: another program kept a core busy: run with --threads 1 or stop it."
    assert said in cells.disturbance(crowded(1.0))
    assert "busy: run with --threads 2 or stop it." in cells.disturbance(crowded(2.1, threads=4, cpus=4))
    assert "kept a core busy: stop it." in cells.disturbance(crowded(1.9, threads=1))


def test_a_core_that_nobody_needed_or_that_was_hardly_touched_is_none() -> None:
    """A neighbour beside one thread; a little of two; a machine that did not say how many CPUs it has."""
    for others, threads, cpus in ((1.0, 1, 2), (0.3, 2, 2), (1.0, 2, None)):
        assert "kept a core busy" not in cells.disturbance(crowded(others, threads, cpus))


def waited(epoch_s: float, idle_s: float, implementation: str = "matched-keras", **changes: Any) -> TrainingResult:
    """A process that computed nothing for so long in each of its epochs."""
    found = result(implementation, epoch_s=epoch_s, **changes)
    epochs = [
        replace(epoch, train_cpu_s=None if epoch.train_s is None else epoch.train_s - idle_s) for epoch in found.epochs
    ]
    return replace(found, epochs=tuple(epochs))


def told(directory: Path, results: Sequence[TrainingResult]) -> str:
    """The sentence about a directory with these results."""
    return cells.waiting(build.read(save(directory, results)))


def test_who_waits_for_a_good_part_of_an_epoch_is_told(tmp_path: Path) -> None:
    """The worst first; the first epochs and the control are not asked."""
    found = [waited(5.4, 1.7), waited(2.0, 0.5, "documented-keras"), waited(1.0, 0.04, "matched-pytorch")]
    found.append(waited(1.0, 0.9, "matched-pytorch", role="control"))
    assert told(tmp_path, found) == (
        "Keras on TensorFlow (matched) waited 1.70 s of 5.40 s an epoch; Keras on TensorFlow (documented) waited "
        "0.500 s of 2.00 s an epoch: see docs/waiting.md."
    )


def test_where_several_networks_wait_each_is_named_and_the_rest_counted(tmp_path: Path) -> None:
    """Three of them; more would hide them."""
    found = [waited(1.0, 0.1 * number, threads=number) for number in (1, 2, 3, 4, 5)]
    said = told(tmp_path, found)
    assert said.startswith(
        "Keras on TensorFlow (matched) waited 0.500 s of 1.00 s an epoch (mlp-128-64, CPU, 5 threads)"
    )
    assert said.count("waited") == 3 and said.endswith("; so did 2 more: see docs/waiting.md.")


def test_where_nobody_waits_nothing_is_said(tmp_path: Path) -> None:
    """Nor where it cannot be known."""
    assert told(tmp_path / "none", [result(), waited(1.0, 0.04)]) == ""
    assert told(tmp_path / "gpu", [waited(1.0, 0.5, device="cuda")]) == ""


def test_what_others_took_is_no_wait(tmp_path: Path) -> None:
    """Neither other programs nor the hypervisor; what is left is told, and nothing where nothing is."""
    found = waited(2.0, 0.5)
    assert found.phases.process_s is not None
    for name, share, said in (("others_cpu_s", 1.2, "waited 0.100 s of 2.00 s"), ("steal_s", 0.1, "waited 0.300 s of")):
        readings = READINGS | {"cpus": 3, "others_cpu_s": 0.0, name: share * found.phases.process_s}
        assert said in told(tmp_path / name, [replace(found, readings=readings)])
    busy = replace(found, readings=READINGS | {"cpus": 2, "others_cpu_s": 0.5 * found.phases.process_s})
    assert told(tmp_path / "busy", [busy]) == ""


def scattered(deviation: float, **changes: Any) -> TrainingResult:
    """A process whose steady epochs have this standard deviation, of their logarithms."""
    found = result(epochs=3, **changes)
    wait, first, *steady = found.epochs
    apart = deviation / math.sqrt(2)
    moved = [replace(epoch, train_s=math.exp(sign * apart)) for epoch, sign in zip(steady, (1, -1), strict=True)]
    return replace(found, epochs=(wait, first, *moved))


def test_a_restless_machine_is_called_so(tmp_path: Path) -> None:
    """By the epochs of one process, of the program that the control repeats; not by what differs between processes."""

    def told(name: str, deviation: float, **changes: Any) -> str:
        found = [scattered(deviation, block=block, role=role) for block in (1, 2) for role in ("measured", "control")]
        return cells.restless(build.read(save(tmp_path / name, [*found, *changes.get("more", [])])))

    assert "epochs of one process differ by 20.0 % (matched-pytorch, mlp-128-64, CPU, 2 threads)" in told("much", 0.2)
    assert told("little", 0.05, more=[scattered(0.5, implementation="matched-keras")]) == ""
    steady = [result(block=block, epoch_s=block, role=role) for block in (1, 2) for role in ("measured", "control")]
    assert cells.restless(build.read(save(tmp_path / "steady", steady))) == ""


def test_the_terminal_and_the_page_say_it(tmp_path: Path) -> None:
    """Beneath the answer."""
    built = build.build(save(tmp_path, [waited(5.4, 1.7), result()]))
    words = "waited 1.70 s of 5.40 s an epoch: see docs/waiting.md"
    assert words in " ".join(built.text.split())
    assert words in built.html.read_text().replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")
