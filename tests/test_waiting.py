"""docs/waiting.md tells what was measured: its figures are those of the committed files."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
MEASURED = pd.read_csv(ROOT / "results" / "noise" / "tf-data-wait.csv")
RUNS = (("busy", 1), ("quiet", 1), ("quiet", 2))
"""The runs of the script: what else the machine did, and on how many CPUs it was kept."""
FITS = {"fit": 1, "5 epochs": 5, "5 epochs validated": 10}
"""How often each call of ``fit`` goes over data."""
LIVES = [0.01 * (2**n - 1) for n in range(1, 12)]
"""Seconds after which the thread that tunes wakes: after 10 ms, 20 ms more, 40 ms more ..."""


def table(name: str) -> list[list[str]]:
    """The rows of a table of the page, cell by cell, without its heading."""
    page = (ROOT / "docs" / "waiting.md").read_text(encoding="utf-8")
    lines = re.search(rf"<!-- {name} -->\n\n(.*?)\n\n<!-- end -->", page, re.DOTALL)[1].splitlines()  # type: ignore[index]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def measured(case: str, machine: str, cpus: int, autotune: bool) -> pd.DataFrame:
    """The lines of a case of one run of the script."""
    rows = MEASURED[(MEASURED["case"] == case) & (MEASURED["machine"] == machine) & (MEASURED["cpus"] == cpus)]
    return rows[rows["autotune"] == autotune].reset_index()


def test_the_page_shows_what_became_of_an_iterator() -> None:
    """In the three runs: how long it was waited for by default, and its life; without autotuning hardly at all."""
    tuned = [measured("iterator", *run, True) for run in RUNS]
    for position, (work_s, *shown) in enumerate(table("iterator")):
        lines = [of_run.iloc[position] for of_run in tuned]
        assert {f"{line['work_s']:.1f}" for line in lines} == {work_s}
        assert shown == [f"{line[name]:.3f}" for line in lines for name in ("wait_s", "whole_s")]
    plain = pd.concat(measured("iterator", *run, False) for run in RUNS)
    assert len(plain) == 24 and plain["wait_s"].max() <= 0.005


def test_the_page_shows_what_became_of_fit() -> None:
    """Beyond the work of all passes over the data, by default in the three runs, and the most without autotuning."""
    for (_, work_s, *shown), (case, passes) in zip(table("fit"), FITS.items(), strict=True):
        tuned, plain = ([measured(case, *run, on)["wait_s"].item() for run in RUNS] for on in (True, False))
        assert float(work_s) == pytest.approx(0.7 * passes)
        assert shown == [f"{seconds:.3f}" for seconds in (*tuned, max(plain))]


def test_an_iterator_that_is_waited_for_lives_until_its_thread_wakes() -> None:
    """Within a tenth of a second, whatever it was used for."""
    waited = MEASURED[(MEASURED["case"] == "iterator") & (MEASURED["wait_s"] > 0.1)]
    assert waited.groupby(["machine", "cpus"]).size().to_dict() == dict(zip(RUNS, (8, 3, 2), strict=True))
    assert waited["autotune"].all()
    assert all(min(abs(whole_s - life) for life in LIVES) < 0.1 for whole_s in waited["whole_s"])


@pytest.mark.parametrize("row", table("epochs"), ids=lambda row: "-".join(row[:3]))
def test_the_page_counts_the_epochs_of_the_committed_results(row: list[str]) -> None:
    """Those that waited half a second or more, and how long each of them took."""
    name, program, threads, number, waited, took = row
    epochs = pd.read_csv(ROOT / "results" / name / "epochs.csv").query(
        f"implementation == '{program}' and threads == {threads} and workload == 'mlp-128-64' and device == 'cpu' "
        "and role == 'measured' and epoch > 1"
    )
    idle = epochs[epochs["idle_s"] >= 0.5]
    assert (str(len(epochs)), str(len(idle))) == (number, waited)
    assert ", ".join(f"{seconds:.2f}" for seconds in sorted(idle["train_s"])) == took
