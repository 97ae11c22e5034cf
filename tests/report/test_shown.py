"""One estimator: whoever divides two figures that are shown gets the ratio that is shown, wherever they stand."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from synthetic import UNDRAWN, result, save

from bench.report import build, compare, page
from bench.store.records.training import TrainingResult

SECONDS = {
    "matched-pytorch": (1.0, 1.7, 1.1, 1.05), "matched-keras": (2.0, 2.1, 5.2, 2.3),
    "documented-pytorch": (9.1, 14.0, 9.7, 9.9), "documented-keras": (2.5, 2.2, 3.9, 2.4),
}  # fmt: skip
"""By blocks; a mean, a median and a geometric mean of these are far from each other."""
UNEVEN = (1.0, 0.9, 1.6)
"""By what the steady epochs of a process are multiplied."""
SLOWER = (1.0, 1.4, 0.9, 1.1)
"""By what the blocks of another session are."""
NAMES = {name: re.compile(f"{framework}<br>{tier}") for name, tier, framework in (
    ("matched-pytorch", "matched", "PyTorch"), ("matched-keras", "matched", "Keras on TensorFlow"),
    ("documented-pytorch", "documented", "PyTorch"), ("documented-keras", "documented", "Keras on TensorFlow"),
)}  # fmt: skip
TIME, RATIO = r"([\d.]+) (m?)s\b(?: \([\d.]+[-–][\d.]+\))?", r"([\d.]+)(?: \([\d.]+[-–][\d.]+\))?"


def process(name: str, block: int, epoch_s: float) -> TrainingResult:
    """A process whose epochs differ."""
    made = result(name, block, epoch_s, epochs=4)
    steady = [replace(epoch, train_s=factor * epoch_s) for epoch, factor in zip(made.epochs[2:], UNEVEN, strict=True)]
    return replace(made, epochs=(*made.epochs[:2], *steady))


def stored(directory: Path, factors: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> Path:
    """A session of complete blocks, and its report."""
    found = [
        process(name, block, seconds * factor)
        for name, series in SECONDS.items()
        for block, (seconds, factor) in enumerate(zip(series, factors, strict=True), 1)
    ]
    build.build(save(directory, found))
    return directory


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session and its report, without charts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "CHAPTERS", UNDRAWN)
        return stored(tmp_path_factory.mktemp("shown") / "base")


def agrees(a: str, b: str, ratio: str) -> bool:
    """Whether the ratio of two rounded figures can be the rounded ratio."""
    lows, highs = zip(*((float(text) - half(text), float(text) + half(text)) for text in (a, b, ratio)), strict=True)
    return lows[0] / highs[1] <= highs[2] and highs[0] / lows[1] >= lows[2]


def half(text: str) -> float:
    """Half a unit of a figure's last digit."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2]) * (1 + 1e-9)


def test_figures_that_do_not_agree_are_noticed() -> None:
    """Within the rounding of three figures, and no further."""
    assert agrees("2.66", "1.18", "2.25") and not agrees("2.66", "1.18", "2.28") and not agrees("2.66", "1.18", "2.20")


def summary_of(directory: Path) -> dict[str, tuple[str, str]]:
    """From the terminal: time per epoch and times the fastest."""
    text, found = build.final_table(build.read(directory)), {}
    for name in SECONDS:
        seconds, _, ratio = re.findall(rf"^{name} +{TIME} +{RATIO} ", text, re.MULTILINE)[0]
        found[name] = (seconds, ratio)
    return found


def rows_of_page(directory: Path) -> dict[str, tuple[str, str]]:
    """The same from ``report.md``, whose tables are those of the page."""
    lines, found = (directory / "report.md").read_text().splitlines(), {}
    for name, pattern in NAMES.items():
        line = next(line for line in lines if line.startswith("| ") and pattern.search(line))
        seconds, _, ratio = re.findall(rf"\| {TIME} \| {RATIO} \|", line)[0]
        found[name] = (seconds, ratio)
    return found


@pytest.mark.parametrize("shown", [summary_of, rows_of_page])
def test_times_the_fastest_is_the_quotient_of_the_times(
    directory: Path, shown: Callable[[Path], dict[str, tuple[str, str]]]
) -> None:
    """In the terminal's table and in the page's."""
    figures = shown(directory)
    fastest = figures["matched-pytorch"][0]
    assert figures["matched-pytorch"][1] == "1"
    for name in ("matched-keras", "documented-keras", "documented-pytorch"):
        assert agrees(figures[name][0], fastest, figures[name][1]), figures


def test_the_answer_is_the_quotient_of_the_times(directory: Path) -> None:
    """The sentences' factors, of both tiers."""
    words = " ".join(build.final_table(build.read(directory)).split())
    figures = {name: seconds for name, (seconds, _) in summary_of(directory).items()}
    first, second = re.findall(r"took ([\d.]+) times as long", words)
    assert agrees(figures["matched-keras"], figures["matched-pytorch"], first)
    assert agrees(figures["documented-pytorch"], figures["documented-keras"], second)


def test_the_csvs_agree_to_the_last_digits(directory: Path) -> None:
    """``summary.csv`` with ``comparison.csv``, and both with the geometric means of ``runs.csv``'s processes."""
    value = pd.read_csv(directory / "tables" / "summary.csv").set_index("implementation")["epoch_s"]
    pairs = pd.read_csv(directory / "tables" / "comparison.csv").query("compared == 'epoch_s'")
    assert len(pairs) == 6
    for row in pairs.to_dict("records"):
        assert row["estimate"] == pytest.approx(value[row["a"]] / value[row["b"]], rel=1e-9)
    runs = pd.read_csv(directory / "runs.csv").query("role == 'measured'")
    of_runs = runs.groupby("implementation")["epoch_s"].agg(lambda series: series.prod() ** (1 / len(series)))
    assert of_runs.to_dict() == pytest.approx(value.to_dict(), rel=1e-9)


def test_claims_of_a_ratio_agree_with_claims_of_times(directory: Path) -> None:
    """In the ledger and in document 1's performance table."""
    claims = pd.read_csv(directory / "tables" / "claims.csv").dropna(subset="value")
    table_4 = pd.read_csv(directory / "tables" / "table_4.csv").query("quantity == 'epoch_s' and device == 'cpu'")
    times = claims[claims["quantity"] == "epoch_s"].set_index("implementation")["value"]
    (ratio,) = claims.loc[claims["quantity"] == "epoch_s ratio", "value"]
    assert ratio == pytest.approx(times["documented-pytorch"] / times["documented-keras"], rel=1e-9)
    values = table_4[table_4["tier"] == "documented"].set_index("framework")["value"]
    assert ratio == pytest.approx(values["pytorch"] / values["keras"], rel=1e-9)


def test_the_ratios_of_the_results_are_those_of_the_pairs(directory: Path) -> None:
    """In the file that most readers open, within each tier; there are no other programs in it."""
    results = pd.read_csv(directory / "results.csv").set_index("program")
    pairs = pd.read_csv(directory / "tables" / "comparison.csv").query("compared == 'epoch_s'")
    assert sorted(results.index) == sorted(SECONDS)
    for tier, programs in results.groupby("tier"):
        fastest = programs["epoch_s"].idxmin()
        assert programs.loc[fastest, "ratio"] == 1 and programs.loc[fastest, "verdict"] == "fastest"
        for name in programs.index.drop(fastest):
            (pair,) = pairs[pairs["a"].isin([name, fastest]) & pairs["b"].isin([name, fastest])].to_dict("records")
            assert programs.loc[name, "ratio"] == pytest.approx(pair["estimate"], rel=1e-9), (tier, name)
            assert programs.loc[name, "ratio"] == pytest.approx(
                programs.loc[name, "epoch_s"] / programs.loc[fastest, "epoch_s"], rel=1e-9
            )
            assert programs.loc[name, "ratio_low"] < programs.loc[name, "ratio"] < programs.loc[name, "ratio_high"]


def test_two_sessions_agree(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``fcnbench compare`` shows of both, and the ratio beside it."""
    monkeypatch.setattr(page, "CHAPTERS", UNDRAWN)
    text = compare.compare(directory, stored(tmp_path / "new", SLOWER), 0.05).text
    for name in SECONDS:
        base, _, new, _, ratio = re.findall(rf"^{name} +{TIME} +{TIME} +{RATIO} ", text, re.MULTILINE)[0]
        assert agrees(new, base, ratio), text
