"""What disturbed the cells, in words, from records made by hand."""

from dataclasses import replace

import pandas as pd
from synthetic import READINGS, result, runs

from bench.report.chapters import cells


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
    said = "1 cell had fewer CPUs than threads: another program kept a core busy: run with --threads 1 or stop it."
    assert said in cells.disturbance(crowded(1.0))
    assert "busy: run with --threads 2 or stop it." in cells.disturbance(crowded(2.1, threads=4, cpus=4))
    assert "kept a core busy: stop it." in cells.disturbance(crowded(1.9, threads=1))


def test_a_core_that_nobody_needed_or_that_was_hardly_touched_is_none() -> None:
    """A neighbour beside one thread; a little of two; a machine that did not say how many CPUs it has."""
    for others, threads, cpus in ((1.0, 1, 2), (0.3, 2, 2), (1.0, 2, None)):
        assert "kept a core busy" not in cells.disturbance(crowded(others, threads, cpus))
