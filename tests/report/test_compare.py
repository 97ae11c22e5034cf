"""Two result directories side by side, made by hand, so that the truth is known."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import MACHINE, OTHER_WORKLOAD, WORKLOAD, clear, result, save, session

from bench.cli import main
from bench.errors import FcnBenchError
from bench.report import compare
from bench.store import archive
from bench.store.records.training import Epoch, Inference, TrainingResult
from bench.store.records.verification import Verification

Two = Callable[..., tuple[Path, Path]]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """``two(base, new)``: both as directories."""

    def two(base: Sequence[TrainingResult], new: Sequence[TrainingResult]) -> tuple[Path, Path]:
        return save(tmp_path / "base", base), save(tmp_path / "new", new)

    return two


def scaled(found: TrainingResult, factor: float) -> TrainingResult:
    """The same cell, every time of it longer by the factor."""
    epochs = [replace(epoch, train_s=epoch.train_s and epoch.train_s * factor) for epoch in found.epochs]
    return replace(found, epochs=tuple(epochs))


def judged(base: Path, new: Path, *arguments: str) -> int:
    """The exit status of the command."""
    with pytest.raises(SystemExit) as ended:
        main.main(["compare", str(base), str(new), *arguments])
    return int(ended.value.code or 0)


def test_a_run_beside_itself_is_equal(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything equal, nothing changed, exit status 0."""
    base, _ = two(clear(), clear())
    assert judged(base, base) == 0
    said = capsys.readouterr().out
    assert "Nothing is shown to be slower by more than 5.0 %: 4 equal." in said
    assert said.count("equal within 2.0 %") == 4


def test_times_that_are_10_percent_longer_are_found(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, with the ratio and its interval, for each implementation."""
    assert judged(*two(clear(), [scaled(found, 1.1) for found in clear()])) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "Slower by more than 5.0 %" in said
        and "matched-keras: 1.10 times (95 % interval 1.10 to 1.10, 3 blocks)" in said
    )
    assert said.count("slower") >= 4


@pytest.mark.parametrize(
    ("factor", "limit", "status"), [(1.1, "15%", 0), (1.04, "5%", 0), (1.04, "0.03", 1), (0.8, "5%", 0)]
)
def test_the_limit_is_the_users(two: Two, factor: float, limit: str, status: int) -> None:
    """As a share, in either way of writing it; what is faster is no regression."""
    assert judged(*two(clear(), [scaled(found, factor) for found in clear()]), "--fail-slower", limit) == status


def test_noise_is_no_regression(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """Blocks that scatter by more than the difference leave it undecided, and the page says so."""
    base = session({"matched-pytorch": [1.0, 1.3, 0.9], "matched-keras": [2.0, 2.1, 2.2]})
    new = session({"matched-pytorch": [1.3, 1.0, 1.1], "matched-keras": [2.0, 2.1, 2.2]})
    assert judged(*two(base, new)) == 0
    assert "1 equal and 1 undecided" in capsys.readouterr().out


def test_only_the_program_that_changed_is_called_slower(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was changed; those that were not show that the machine is the same."""
    new = [
        replace(
            scaled(found, 1.2), versions={"python": "3.11.7", "numpy": "9.9"}, cell=replace(found.cell, digest="new")
        )
        if found.cell.implementation == "matched-keras"
        else found
        for found in clear()
    ]
    base, new_path = two(clear(), new)
    assert judged(base, new_path, "--markdown", str(base.parent / "summary.md")) == 1
    assert "matched-keras: 1.20 times" in " ".join(capsys.readouterr().out.split())
    page = (base.parent / "summary.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| matched-keras |"))
    assert "1.20 (1.20–1.20) | slower |" in row and "numpy 2.4.6 to 9.9" in row
    assert next(line for line in page.splitlines() if line.startswith("| matched-pytorch |")).endswith("| nothing |")


def test_a_machine_that_changed_is_said(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs that were not changed and take longer show what the machine does; another machine is told at once."""
    found = compare.compare(*two(clear(), [scaled(one, 1.1) for one in clear()]), 0.05)
    assert "Nothing was changed in these, so their ratios are the machine's" in " ".join(found.text.split())
    other = [replace(one, machine="elsewhere") for one in clear()]
    archive.save_record(Path(two(clear(), other)[1]), replace(MACHINE, machine="elsewhere"))
    found = compare.compare(*two(clear(), other), 0.05)
    assert "The machines differ" in found.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"workload": replace(WORKLOAD, batch_size=32)}, ["batch_size 32", "was 64"]),
        ({"data": "other"}, ["data other", "was some"]),
    ],
)
def test_different_work_is_refused(two: Two, changes: dict[str, object], words: list[str]) -> None:
    """One line with both values, exit status 2."""
    base, new = two(clear(data="some"), clear(**{"data": "some", **changes}))
    with pytest.raises(FcnBenchError) as refused:
        compare.compare(base, new, 0.05)
    assert "\n" not in str(refused.value) and all(word in str(refused.value) for word in words)
    assert judged(base, new) == 2


def test_runs_of_other_epochs_are_compared_by_their_times(two: Two) -> None:
    """A steady epoch is the same work; accuracies after more epochs are not compared, and that is said."""
    found = compare.compare(*two(clear(), clear(epochs=5)), 0.05)
    assert "mlp-128-64 was trained for 3 epochs in BASE and for 5 in NEW" in " ".join(found.text.split())
    assert "points" not in found.markdown and "1.000 (" in found.markdown


def test_nothing_in_common_is_refused(two: Two) -> None:
    """Other networks, or a directory that is none."""
    with pytest.raises(FcnBenchError, match="in common"):
        compare.compare(*two(clear(), clear(workload=OTHER_WORKLOAD)), 0.05)
    with pytest.raises(FcnBenchError, match="no results here"):
        compare.compare(two(clear(), clear())[0], Path("nowhere"), 0.05)


def test_networks_of_one_side_are_told_in_a_line(two: Two) -> None:
    """They have no table, since there is nothing to compare."""
    text = compare.compare(*two(clear(), [*clear(), *clear(workload=OTHER_WORKLOAD)]), 0.05).text
    assert "Only in NEW: mlp-128." in text and "mlp-128, CPU" not in text and text.count("equal within") == 4


def test_what_is_lost_is_a_regression(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that worked and fails now, or that does other work now; one that was not asked for is none."""
    kept = [found for found in clear() if found.cell.implementation != "documented-keras"]
    broken = [
        result("matched-keras", found.cell.block, status="failed", reason="RuntimeError: no luck")
        if found.cell.implementation == "matched-keras"
        else found
        for found in kept
    ]
    base, new = two(clear(), broken)
    assert judged(base, new) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "lost: RuntimeError: no luck" in said and "only in BASE" in said
    with archive.opened(new):
        archive.save_record(new, Verification("matched-pytorch", "mlp-128-64", "cpu", "d", "failed", "logits are off"))
    assert "it does not do the same work any more" in " ".join(compare.compare(base, new, 0.05).text.split())


def test_an_unfit_side_has_no_verdicts(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a regression nor its absence is claimed."""
    unfit = session({"matched-pytorch": [1.0, 1.1, 1.2], "matched-keras": [2.0, 2.1, 2.2]}, [1.5, 1.65, 1.8001])
    good = session({"matched-pytorch": [1.0, 1.1, 1.2], "matched-keras": [2.0, 2.1, 2.2]}, [1.0, 1.1, 1.2001])
    base, new = two(good, [scaled(found, 1.5) for found in unfit])
    assert judged(base, new) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{new} is unfit" in said and "unfit session" in said and "2 undecided" in said


def test_blocks_of_one_side_only_are_left_out(two: Two) -> None:
    """A run with more blocks can be compared with one that has fewer; without steady epochs there is no ratio."""
    more = session({"matched-pytorch": [1.0, 1.0, 1.0, 7.0], "matched-keras": [2.0, 2.0, 2.0, 9.0]})
    found = compare.compare(*two(session({"matched-pytorch": [1.0] * 3, "matched-keras": [2.0] * 3}), more), 0.05)
    assert found.regressions == () and found.text.count("equal within") == 2
    bare = [replace(one, epochs=(Epoch(0, None, None, 0.2, None, 2.3, 0.1),)) for one in clear()]
    assert "no steady epochs" in compare.compare(*two(bare, bare), 0.05).text


def test_the_time_for_one_image_stands_beside(two: Two) -> None:
    """As a ratio without a verdict, where both sides have it by the same call; else it is missing."""
    base, slower, other = (
        [replace(one, inference=(Inference(1, 0.5, (seconds * one.cell.block,), call),)) for one in clear()]
        for seconds, call in ((0.001, ""), (0.0015, ""), (0.0015, "model(x)"))
    )
    for new, shown in ((slower, "1.50 times"), (clear(), "–"), (other, "–")):
        found = compare.compare(*two(base, new), 0.05)
        row = next(line for line in found.markdown.splitlines() if line.startswith("| matched-keras |"))
        assert row.split(" | ")[6] == shown and found.regressions == ()


def test_the_summary_goes_to_the_terminal_too(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    """``--markdown -`` prints it alone, fit to be piped."""
    base, new = two(clear(), clear())
    assert judged(base, new, "--markdown", "-") == 0
    said = capsys.readouterr().out
    assert said.startswith("### fcnbench: ") and "| implementation | base | new | new / base | verdict |" in said


@pytest.mark.parametrize("limit", ["five", "0", "-1%", "120%", "5"])
def test_a_limit_that_is_no_share_is_refused(two: Two, limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line; a bare 5 might mean 5 % or 500 %."""
    assert judged(*two(clear(), clear()), f"--fail-slower={limit}") == 2
    assert "--fail-slower" in capsys.readouterr().err


@pytest.mark.process
def test_comparing_needs_no_framework(two: Two) -> None:
    """And none of what draws charts."""
    base, new = two(clear(), clear())
    code = (
        "import sys\nfrom bench.report import compare\nfrom pathlib import Path\n"
        f"compare.compare(Path({str(base)!r}), Path({str(new)!r}), 0.05)\n"
        "print([name for name in ('torch', 'tensorflow', 'keras', 'jax', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
