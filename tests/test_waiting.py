"""docs/waiting.md tells what was measured: its figures are those of the committed files."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
MEASURED = pd.read_csv(ROOT / "results" / "noise" / "tf-data-wait.csv")
LIVES = [0.01 * (2**n - 1) for n in range(1, 12)]
"""Seconds after which the thread that tunes wakes: after 10 ms, 20 ms more, 40 ms more ..."""


def table(name: str) -> list[list[str]]:
    """The rows of a table of the page, cell by cell, without its heading."""
    page = (ROOT / "docs" / "waiting.md").read_text(encoding="utf-8")
    lines = re.search(rf"<!-- {name} -->\n\n(.*?)\n\n<!-- end -->", page, re.DOTALL)[1].splitlines()  # type: ignore[index]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def measured(case: str) -> list[list[str]]:
    """For each line of a case its work and, with autotuning and without, wait and whole time."""
    of_case = MEASURED[MEASURED["case"] == case]
    on, off = (of_case[of_case["autotune"] == autotune].reset_index() for autotune in (True, False))
    return [
        [f"{a.work_s:.1f}", f"{a.wait_s:.3f}", f"{a.whole_s:.3f}", f"{b.wait_s:.3f}", f"{b.whole_s:.3f}"]
        for a, b in zip(on.itertuples(), off.itertuples(), strict=True)
    ]


def test_the_page_shows_what_the_script_gave() -> None:
    """Of an iterator alone, and of Keras' fit, whose work is that of each pass over the data."""
    assert table("iterator") == measured("iterator")
    lines = [measured(case)[0] for case in ("fit", "5 epochs", "5 epochs validated")]
    assert [line[2:] for line in table("fit")] == [[line[1], line[3]] for line in lines]
    assert [float(line[1]) for line in table("fit")] == pytest.approx([0.7, 5 * 0.7, 2 * 5 * 0.7])


def test_an_iterator_with_autotuning_lives_until_its_thread_wakes() -> None:
    """Within a tenth of a second, whatever it was used for; without autotuning it ends when it is dropped."""
    alone = MEASURED[MEASURED["case"] == "iterator"]
    tuned, plain = alone[alone["autotune"]], alone[~alone["autotune"]]
    assert all(min(abs(whole_s - life) for life in LIVES) < 0.1 for whole_s in tuned["whole_s"])
    assert (tuned["wait_s"] > 0.1).all() and (plain["wait_s"] < 0.01).all()


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
