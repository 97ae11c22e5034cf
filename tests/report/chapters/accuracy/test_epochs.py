"""``charts`` and ``pictures``: what is drawn, what is not, and how it is said in words."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from synthetic import READINGS, clear, result, session

from bench.display import axes as display_axes
from bench.display import charts as display_charts
from bench.display.charts import Chart
from bench.report import runs
from bench.report.chapters import memory
from bench.report.chapters.accuracy import epochs
from bench.report.chapters.comparison import charts
from bench.store.records.training import Evaluation, TrainingResult
from bench.store.records.verification import Verification

NO_CLAIMS = pd.DataFrame(columns=["framework", "low", "high"])
CLAIMS = pd.DataFrame({"document": [1], "framework": ["pytorch"], "low": [0.978], "high": [0.982]})


@cache
def of_clear() -> dict[str, Chart]:
    """The charts of the usual session, drawn once for all tests that look at them."""
    return drawn(clear())


def drawn(
    results: Sequence[TrainingResult], claims: pd.DataFrame = NO_CLAIMS, gates: Sequence[Verification] = ()
) -> dict[str, Chart]:
    named = "title", "key", runs.runs_frame(results, gates)
    found = [charts.times(*named), memory.chart(*named)]
    found += epochs.over_training(*named, runs.epochs_frame(results), runs.curves_frame(results), claims)
    return {chart.name.partition(".")[0]: chart for chart in found if chart is not None}


def dots(figure: Figure | None, hollow: bool) -> int:
    assert figure is not None
    marks = [found for axes in figure.axes for found in axes.collections if isinstance(found, PathCollection)]
    return sum(np.shape(found.get_offsets())[0] for found in marks if (np.size(found.get_facecolor()) == 0) == hollow)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_session_has_three_charts() -> None:
    """Epoch time, memory and accuracy."""
    assert list(of_clear()) == ["epoch-time", "memory", "accuracy"]


def test_every_process_is_a_dot() -> None:
    """Four implementations in three blocks: twelve dots, nothing averaged away."""
    assert dots(charts.epoch_time(runs.runs_frame(clear(), []), ""), hollow=False) == 12


def test_the_control_is_hollow() -> None:
    """The control's values are there, and are not mistaken for measured ones."""
    assert dots(charts.epoch_time(runs.runs_frame(clear(), []), ""), hollow=True) == 3


def test_images_held_out_have_a_chart_of_their_own() -> None:
    """A panel for the loss and one for the accuracy of each implementation, with the last figures in words."""
    rows = tuple(Evaluation(1, 100 * n, 0.5 / n if n else None, 0.9, 0.6 / (n + 1), 0.88) for n in range(4))
    results = [result("matched-pytorch", evaluations=rows), result("matched-keras", evaluations=rows)]
    chart = drawn(results)["curves"]
    assert "PyTorch (matched) at the end, of training images 90.00 %, of images held out 88.00 %" in chart.text
    assert set(drawn([result("matched-pytorch")])) == {"epoch-time", "memory", "accuracy"}
    figure = epochs.curves(runs.runs_frame(results, []), runs.curves_frame(results), "title")
    assert figure is not None and len(figure.axes) == 4


def test_the_median_is_written_beside_the_dots() -> None:
    """A reader need not measure with a ruler."""
    assert "1.01 s" in texts(of_clear()["epoch-time"].svg)


def test_times_of_different_order_have_a_logarithmic_axis() -> None:
    """9.9 s beside 1.0 s: both can be read."""
    figure = charts.epoch_time(runs.runs_frame(clear(), []), "")
    assert figure is not None
    assert figure.axes[0].get_xscale() == "log"


def test_times_of_one_order_have_an_axis_from_zero() -> None:
    """Lengths are then in proportion."""
    figure = charts.epoch_time(runs.runs_frame(session({"matched-pytorch": [1.0], "matched-keras": [2.9]}), []), "")
    assert figure is not None
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_xlim()[0]) == ("linear", 0)


def test_without_steady_epochs_there_is_no_time_chart() -> None:
    """One epoch is the first one: it is not steady."""
    assert "epoch-time" not in drawn(session({"matched-pytorch": [1.0]}, epochs=1))


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_cells_without_figures_have_no_charts(status: str) -> None:
    """A chart with nothing to show is not made."""
    assert drawn([result(status=status)]) == {}


def test_without_memory_figures_there_is_no_memory_chart() -> None:
    """Missing is not 0."""
    assert "memory" not in drawn([result(readings={})])


def test_memory_has_a_column_for_each_phase_that_was_measured() -> None:
    """The device's peak is shown where there is one."""
    readings = READINGS | {"device_peak_bytes": 300_000_000}
    assert {"after import", "after load", "training peak", "whole process", "device peak"} <= set(
        texts(drawn([result(device="cuda", readings=readings)])["memory"].svg)
    )


def test_memory_of_the_host_alone_has_no_column_for_a_device() -> None:
    """On a CPU there is no device memory."""
    assert "device peak" not in texts(of_clear()["memory"].svg)


def test_accuracy_begins_before_training() -> None:
    """Epoch 0 is part of every line."""
    figure = epochs.accuracy(runs.runs_frame(clear(), []), runs.epochs_frame(clear()), NO_CLAIMS, "")
    assert figure is not None
    assert all(np.nanmin(np.asarray(line.get_xdata())) == 0 for axes in figure.axes for line in axes.lines)


def test_many_epochs_are_a_band_and_its_mean() -> None:
    """Hundreds of markers tell nothing and make a large file."""
    results = [result(name, block, epochs=120) for name in ("matched-pytorch", "matched-keras") for block in (1, 2)]
    frames = runs.runs_frame(results, []), runs.epochs_frame(results)
    figure = epochs.accuracy(*frames, NO_CLAIMS, "")
    assert figure is not None
    for axes in figure.axes:
        assert all(len(line.get_xdata()) == 121 for line in axes.lines)  # epoch 0 among them
        assert [type(found).__name__ for found in axes.collections] == ["FillBetweenPolyCollection"]
    assert "pale: their range" in drawn(results)["accuracy"].svg and "pale" not in of_clear()["accuracy"].svg


def test_each_implementation_has_its_accuracy_panel() -> None:
    """Lines that lie upon each other can still be told apart."""
    figure = epochs.accuracy(runs.runs_frame(clear(), []), runs.epochs_frame(clear()), NO_CLAIMS, "")
    assert figure is not None
    assert len(figure.axes) == 4


def test_the_claim_is_a_band_with_its_figures() -> None:
    """Document 1's range stands in the panels of the framework that it is about, and only there."""
    shown = texts(drawn(clear(), CLAIMS)["accuracy"].svg)
    assert shown.count("document 1: 97.8–98.2 %") == 2


def test_perfect_accuracy_can_be_drawn() -> None:
    """An error of 0 has no logarithm."""
    assert "accuracy" in drawn([result(accuracy=1.0)])


def test_an_implementation_that_did_other_work_is_not_drawn() -> None:
    """What fails the gate has no place beside the others."""
    gate = Verification("matched-keras", "mlp-128-64", "cpu", "d", "failed", "logits")
    results = session({"matched-pytorch": [1.0], "matched-keras": [2.9]})
    assert all("Keras" not in chart.svg for chart in drawn(results, gates=[gate]).values())


def test_a_framework_has_one_colour_in_all_charts() -> None:
    """Keras is the same blue in each, and PyTorch never has it."""
    blue = display_axes.COLOURS["keras"]
    assert all(blue in chart.svg for chart in drawn(session({"matched-keras": [1.0]})).values())
    assert all(blue not in chart.svg for chart in drawn(session({"matched-pytorch": [1.0]})).values())


def test_every_chart_says_its_numbers_in_words() -> None:
    """The text alternative names each implementation with its median and range."""
    assert "PyTorch (matched) 1.01 s (1.00–1.02)" in of_clear()["epoch-time"].text


def test_the_control_is_in_the_words_too() -> None:
    """What can be seen can be read."""
    assert "PyTorch (matched) as control 1.01 s" in of_clear()["epoch-time"].text


def test_files_are_the_same_each_time() -> None:
    """Neither date nor random ids."""
    assert drawn(clear()) == of_clear()


def test_drawing_leaves_matplotlibs_settings_alone() -> None:
    """Whoever uses the library beside us keeps what they have set."""
    before = dict(mpl.rcParams)
    drawn([result()])
    assert dict(mpl.rcParams) == before


def test_a_users_matplotlib_settings_do_not_change_the_charts() -> None:
    """A report looks the same on every desk."""
    first = drawn([result()])
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 20, "lines.linewidth": 9}):
        assert drawn([result()]) == first


def test_a_standalone_picture_names_itself() -> None:
    """Title and description are in the file, for readers that do not see it."""
    svg = ElementTree.fromstring(of_clear()["memory"].svg)
    ids = {element.get("id") for element in svg if element.tag.endswith(("}title", "}desc"))}
    assert (svg.get("role"), set((svg.get("aria-labelledby") or "").split())) == ("img", ids)


def test_pictures_of_one_page_share_no_ids() -> None:
    """Clip paths and markers of one chart do not reach into another."""
    ids = [re.findall(r'\bid="([^"]+)"', display_charts.inline(chart)) for chart in of_clear().values()]
    flat = [found for chart in ids for found in chart]
    assert len(flat) == len(set(flat))


def test_references_within_an_inlined_picture_hold() -> None:
    """Every marker and clip path that is used is there under its new name."""
    for chart in of_clear().values():
        svg = display_charts.inline(chart)
        used = re.findall(r'(?:href="#|url\(#)([^")]+)', svg)
        assert used and set(used) <= set(re.findall(r'\bid="([^"]+)"', svg))


def test_an_inlined_picture_takes_the_pages_ink() -> None:
    """Text and axes follow the page into dark mode."""
    svg = display_charts.inline(of_clear()["epoch-time"])
    assert "currentColor" in svg and display_charts.INK not in svg and display_charts.PAPER not in svg


def test_no_pyplot(tmp_path: Path) -> None:
    """Pyplot keeps figures alive and picks a display; the charts need neither."""
    assert "pyplot" not in Path(epochs.__file__).read_text() + Path(display_charts.__file__).read_text()
