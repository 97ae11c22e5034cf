"""``report.build``: the answer in each situation, what is written, and what a page may never do."""

import io
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from synthetic import MACHINE, OTHER_WORKLOAD, READINGS, UNDRAWN, clear, result, save, session

from bench.display.charts import Chart
from bench.errors import FcnBenchError
from bench.report import build, pairs, runs
from bench.report import page as report_page
from bench.report.chapters import memory
from bench.store import archive
from bench.store.records.cell import Phases
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Check, Verification

PYTORCH, KERAS = "matched-pytorch", "matched-keras"
HOSTILE = "<script>alert(1)</script> [x](javascript:1) | \x1b[31m"


def stored(
    directory: Path, results: Sequence[TrainingResult], gates: Sequence[Verification] = (), **options: Any
) -> Path:
    save(directory, results, **options)
    for gate in gates:
        archive.save_record(directory, gate)
    return directory


def text(directory: Path, results: Sequence[TrainingResult], **options: Any) -> str:
    """The final table, without drawing charts for it."""
    session = build.read(stored(directory, results, **options))
    return build.final_table(session)


def said(directory: Path, results: Sequence[TrainingResult], **options: Any) -> str:
    """The final table with its line ends taken out, so that sentences can be found."""
    return " ".join(text(directory, results, **options).split())


def page(directory: Path, results: Sequence[TrainingResult], **options: Any) -> str:
    """The page of a session, its charts included."""
    return build.build(stored(directory, results, **options)).html.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the usual session, for tests that only read it."""
    directory = tmp_path_factory.mktemp("usual")
    build.build(stored(directory, clear()))
    return directory


@pytest.fixture(scope="module")
def html(usual: Path) -> str:
    """Its page."""
    return (usual / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def usual_text(usual: Path) -> str:
    """Its final table."""
    return build.final_table(build.read(usual))


@pytest.fixture(scope="module")
def usual_words(usual_text: str) -> str:
    """The same with its line ends taken out."""
    return " ".join(usual_text.split())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No charts, where a test is about something else."""
    monkeypatch.setattr(report_page, "CHAPTERS", UNDRAWN)


class Elements(HTMLParser):
    """All start tags of a page with their attributes."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_clear_difference_is_said_with_factor_and_interval(usual_words: str) -> None:
    """Who, what, how many times as long, from how many blocks, where; then how sure that is."""
    assert usual_words.startswith(
        "Keras on TensorFlow took 2.92 times as long as PyTorch (matched) to train mlp-128-64 (95 % interval 2.87 to "
        "2.97, 3 blocks, CPU, 2 threads). PyTorch is faster: p < 0.001 with all questions counted"
    )


def test_accuracy_stands_beside_speed(usual_words: str) -> None:
    """And says how long the networks were trained, where that is not as long as the document does."""
    assert "Test accuracy after 3 of 5 epochs: PyTorch 97.00 %, Keras on TensorFlow 97.00 %." in usual_words


def test_as_many_epochs_as_the_document_need_no_reservation(tmp_path: Path) -> None:
    """Five of five epochs are five epochs."""
    assert "Test accuracy after 5 epochs:" in said(tmp_path, clear(epochs=5))


def test_the_tutorials_tier_has_a_sentence_of_its_own(tmp_path: Path) -> None:
    """What readers of the tutorials run may be the other way round."""
    assert (
        "As the tutorials write it, PyTorch took 4.27 times as long as Keras on TensorFlow to train mlp-128-64"
        in said(tmp_path, clear())
    )


def test_noise_hides_a_difference(tmp_path: Path) -> None:
    """An interval that includes 1 is no difference."""
    times = {PYTORCH: [1.0, 1.3, 0.9], KERAS: [1.1, 1.0, 1.05]}
    assert "No difference could be shown: the interval includes 1." in said(tmp_path, session(times, [1.0, 1.2, 1.0]))


def test_uncertain_control_forbids_a_verdict_on_a_small_difference(tmp_path: Path) -> None:
    """A steady 1.2 is not ranked where a program differs from itself by as much."""
    times = {PYTORCH: [3.0, 3.1, 3.2], KERAS: [2.5, 2.58, 2.66]}
    assert "The session is too noisy for a verdict" in said(tmp_path, session(times, [3.0, 3.9, 2.6]))


def test_equal_times_are_called_equal(tmp_path: Path) -> None:
    """An interval within 2 % is an answer too."""
    times = {PYTORCH: [1.0, 1.001, 0.999], KERAS: [1.003, 1.002, 1.001]}
    assert "They are equal within 2.0 %." in said(tmp_path, session(times, [1.0, 1.001, 1.0]))


def test_one_block_has_no_verdict_and_no_interval(tmp_path: Path) -> None:
    """No infinities, and no words that claim what one block cannot show."""
    answer = said(tmp_path, session({PYTORCH: [1.0], KERAS: [2.9]}, [1.01]))
    assert answer.startswith("Keras on TensorFlow took 2.90 times as long as PyTorch (matched)")
    assert "(one block: no interval, CPU, 2 threads). One block gives no interval and no verdict." in answer
    assert "inf" not in answer


def test_two_blocks_may_be_too_few(tmp_path: Path) -> None:
    """An interval from two blocks may hold anything."""
    answer = said(tmp_path, session({PYTORCH: [1.0, 1.3], KERAS: [1.1, 1.0]}))
    assert answer.startswith("PyTorch took 1.087 times as long as Keras on TensorFlow (matched)")
    assert "2 blocks, CPU, 2 threads). Two blocks are too few to show a difference." in answer


def test_an_unfit_session_says_so_after_the_figures(tmp_path: Path) -> None:
    """If a program differs from itself nothing can be ranked; an answer begins with what was measured all the same."""
    answer = said(tmp_path, session({PYTORCH: [1.0, 1.0, 1.0], KERAS: [2.9, 2.9, 2.9]}, [1.10, 1.11, 1.12]))
    assert answer.startswith("Keras on TensorFlow took 2.90 times as long as PyTorch (matched)")
    assert "This session is unfit to rank anything: PyTorch (matched)" in answer


def test_an_unfit_session_has_no_verdict(tmp_path: Path) -> None:
    """The ratio is there for the record, without a winner."""
    answer = said(tmp_path, session({PYTORCH: [1.0, 1.0, 1.0], KERAS: [2.9, 2.9, 2.9]}, [1.10, 1.11, 1.12]))
    assert "There is no verdict, since the session is unfit." in answer and "is faster" not in answer


@pytest.mark.parametrize("status", ["skipped", "failed"])
def test_nothing_measured_is_said_with_the_reason(tmp_path: Path, status: str) -> None:
    """Never a guess."""
    results = session({PYTORCH: [1.0], KERAS: [1.0]}, status=status, reason="no CUDA device.", device="cuda")
    assert said(tmp_path, results).startswith(f"Nothing was measured: 2 processes {status}: no CUDA device.")


def test_a_single_framework_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    """Two tiers of one framework do not answer which framework is faster."""
    answer = said(tmp_path, session({PYTORCH: [1.0, 1.0], "documented-pytorch": [9.0, 9.0]}))
    assert answer.startswith("Only PyTorch was measured, so there is nothing to compare it with")


def test_a_variant_of_one_of_the_two_has_its_own_ratio(tmp_path: Path) -> None:
    """Beside the same other program, in the same sentence; another program of the tier has none."""
    both = {PYTORCH: [1.0, 1.0, 1.0], KERAS: [2.0, 2.1, 2.05]}
    answer = said(tmp_path, session({**both, f"{KERAS}-no-autotune": [1.5, 1.6, 1.55], "matched-jax": [3.0, 3.0, 3.0]}))
    assert "PyTorch 97.00 %, Keras on TensorFlow 97.00 %. As matched-keras-no-autotune it took 1.55 times" in answer
    assert answer.count(" As ") == 1


def test_a_framework_that_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    """The other one's figure stands alone."""
    results = session({PYTORCH: [1.0, 1.0]}) + session({KERAS: [1.0, 1.0]}, status="failed", reason="no module keras")
    assert "Keras on TensorFlow (matched) could not be measured: no module keras." in said(tmp_path, results)


def test_failed_cells_are_counted_in_the_opening(tmp_path: Path) -> None:
    """A comparison that lost a block says so."""
    assert "1 process of 16 failed" in said(tmp_path, [*clear(), result(KERAS, 4, status="failed")])


def test_first_epochs_are_not_taken_for_steady_ones(tmp_path: Path) -> None:
    """One epoch is a cold start: no speed is stated."""
    answer = said(tmp_path, session({PYTORCH: [1.0], KERAS: [2.9]}, epochs=1))
    assert answer.startswith("No steady epoch of mlp-128-64 was measured")


def test_an_implementation_that_does_other_work_has_no_speed(tmp_path: Path) -> None:
    """What fails the gate is named, not timed."""
    gate = Verification(KERAS, "mlp-128-64", "cpu", "d", "failed", "logits", (Check("logits", 0.3, 1e-6, False, ""),))
    answer = said(tmp_path, session({PYTORCH: [1.0, 1.0], KERAS: [2.9, 2.9]}), gates=[gate])
    assert "Keras on TensorFlow (matched) has no speed: it does not do the same work" in answer
    assert "2.90 s" not in answer


def test_plugins_are_compared_across_tiers_where_no_tier_has_two(tmp_path: Path) -> None:
    """A user's own implementation is the other side of the comparison."""
    answer = said(tmp_path, session({PYTORCH: [1.0, 1.01, 1.0], "mine": [0.5, 0.51, 0.5]}))
    assert answer.startswith("PyTorch (matched) took 1.99 times as long as mine (plugin) to train mlp-128-64")


def test_a_plugin_beside_a_yardstick_is_compared_with_it(tmp_path: Path) -> None:
    """Where there is nothing else to compare it with."""
    found = session({"reference-numpy": [1.0, 1.01, 1.0], "slow-numpy": [1.1, 1.12, 1.1]})
    assert "slow-numpy (plugin) took 1.10 times as long as NumPy (reference) to train mlp-128-64" in said(
        tmp_path, found
    )


def test_each_device_has_its_sentence(tmp_path: Path) -> None:
    """CUDA follows the CPU."""
    cuda = session({PYTORCH: [0.1, 0.1, 0.1], KERAS: [0.2, 0.2, 0.2]}, device="cuda")
    answer = said(tmp_path, clear() + cuda, machine=replace(MACHINE, gpus="H100"))
    assert answer.index("CPU, 2 threads)") < answer.index("CUDA, 2 threads)")


def test_the_documents_network_comes_first(tmp_path: Path) -> None:
    """Whatever was measured first, the headline is about document 1's network."""
    answer = said(tmp_path, clear(workload=OTHER_WORKLOAD) + clear())
    assert answer.startswith("Keras on TensorFlow took 2.92 times as long as PyTorch (matched) to train mlp-128-64 ")


def test_no_line_is_longer_than_100_columns(tmp_path: Path) -> None:
    """Whatever the cells say."""
    results = [*clear(), result(KERAS, 4, status="failed", reason="a long story " * 40)]
    assert max(map(len, text(tmp_path, results).splitlines())) <= 100


def test_the_terminal_gets_no_control_characters(tmp_path: Path) -> None:
    """A reason cannot steer the terminal."""
    assert "\x1b" not in text(tmp_path, [*clear(), result(KERAS, 4, status="failed", reason=HOSTILE)])


def test_the_terminals_text_is_ascii(usual_text: str) -> None:
    """It can be piped anywhere."""
    assert usual_text.isascii()


def test_claims_stand_beside_what_was_measured(usual_text: str) -> None:
    """Document 1's 45 s, in one row with both tiers' figures."""
    rows = usual_text.splitlines()
    assert any(re.search(r"PyTorch +CPU +about 45 s +9\.87 s \(.*\) +1\.01 s \(.*\)", row) for row in rows)


def test_cuda_without_a_device_is_not_measured(usual_words: str) -> None:
    """The column that the project adds says why it is empty."""
    assert "CUDA: not tested: no CUDA device." in usual_words


def test_skipped_cells_of_one_reason_share_a_line(tmp_path: Path) -> None:
    """Twelve cells without a GPU are one fact."""
    results = clear() + session({PYTORCH: [1, 1], KERAS: [1, 1]}, device="cuda", status="skipped", reason="no GPU here")
    assert said(tmp_path, results).count("no GPU here") == 2  # in the opening and in the list


def test_thread_counts_are_not_mixed(tmp_path: Path) -> None:
    """Table 4 has a part for each, each with its own mean."""
    results = session({PYTORCH: [1.0, 1.0]}, threads=1) + session({PYTORCH: [3.0, 3.0]}, threads=2)
    frame = build.read(stored(tmp_path, results)).frames["table_4"]
    rows = frame[(frame["quantity"] == "epoch_s") & (frame["device"] == "cpu")]
    assert dict(zip(rows["threads"], rows["value"], strict=True)) == {1: 1.0, 2: 3.0}


def by_name(directory: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_csv(path) for path in (directory / "tables").glob("*.csv")}


@pytest.mark.parametrize("name", ["summary", "control", "comparison"])
def test_tables_hold_the_frames(usual: Path, name: str) -> None:
    """Raw values, as the derivation gave them; verdicts in words."""
    derive = pairs.summary_frame if name == "summary" else getattr(pairs, name)
    frame = derive(runs.runs_frame(archive.results(usual), []))
    frame = pairs.in_words(frame) if name == "comparison" else frame
    expected = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    pd.testing.assert_frame_equal(pd.read_csv(usual / "tables" / f"{name}.csv"), expected)


def test_runs_and_epochs_have_a_row_for_each(usual: Path) -> None:
    """15 cells, each with three epochs and the one before."""
    assert [len(pd.read_csv(usual / f"{name}.csv")) for name in ("runs", "epochs", "machines")] == [15, 60, 1]


def test_every_chart_is_there_as_svg(usual: Path) -> None:
    """Sharp at any size, and small."""
    kinds = ("answer", "epoch-time", "ratios", "memory", "accuracy")
    expected = {f"{kind}.mlp-128-64.cpu.2t.svg" for kind in kinds} | {"summary.svg", "summary.png"}
    assert {path.name for path in (usual / "charts").iterdir()} == expected


def test_the_card_says_what_was_found_where_and_with_what(usual: Path) -> None:
    """A picture in two forms, and a few lines of Markdown with it; charts that are no longer true go."""
    svg, words = (usual / "charts" / "summary.svg").read_text(), (usual / "summary.md").read_text()
    for part in ("Keras on TensorFlow takes 2.92 times as long as PyTorch", "Imaginary CPU, 2 CPUs", "numpy 2.4.6"):
        assert part in svg and part in words
    assert (usual / "charts" / "summary.png").read_bytes().startswith(b"\x89PNG") and "](charts/summary.svg)" in words


def test_the_last_lines_are_the_answer(tmp_path: Path, undrawn: None) -> None:
    """What stands on the screen when a run has ended."""
    built = build.build(save(tmp_path / "out", clear()))
    assert [line.split(" as long as ")[0] for line in built.headlines] == [
        "Doing the same, Keras on TensorFlow took 2.92 times",
        "As the tutorials write it, PyTorch took 4.27 times",
    ]


def test_the_final_table_is_what_a_build_returns(tmp_path: Path, undrawn: None) -> None:
    """``cli`` prints it and names the page."""
    directory = stored(tmp_path, clear())
    built = build.build(directory)
    assert (built.text, built.html) == (build.final_table(build.read(directory)), tmp_path / "report.html")


def test_what_is_no_longer_true_is_taken_away(tmp_path: Path) -> None:
    """Charts and tables of cells that are gone go too."""
    build.build(stored(tmp_path, [result(), result(workload=OTHER_WORKLOAD)]))
    for cell in (tmp_path / "cells").glob("mlp-128.*"):
        cell.unlink()
    build.build(tmp_path)
    assert not list((tmp_path / "charts").glob("*mlp-128.cpu*"))


def test_other_peoples_files_stay(tmp_path: Path, undrawn: None) -> None:
    """Only what this module has made is pruned."""
    build.build(stored(tmp_path, clear()))
    kept = [tmp_path / "charts" / "mine.svg", tmp_path / "tables" / "notes.md"]
    for path in kept:
        path.write_text("mine")
    build.build(tmp_path)
    assert all(path.exists() for path in kept)


def test_a_second_build_changes_no_byte(usual: Path, tmp_path: Path) -> None:
    """A report can be rebuilt years later and compared."""

    def files(directory: Path) -> dict[Path, bytes]:
        return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}

    again = Path(shutil.copytree(usual, tmp_path / "again"))
    build.build(again)
    assert files(again) == files(usual)


def test_a_directory_without_results_is_an_error(tmp_path: Path) -> None:
    """One line that says what to do."""
    with pytest.raises(FcnBenchError, match="no results here"):
        build.build(tmp_path)


CASES = {
    "clear": clear(),
    "failed and skipped only": [result(status="failed"), result(KERAS, status="skipped", device="cuda")],
    "one epoch": session({PYTORCH: [1.0], KERAS: [2.9]}, epochs=1),
    "two networks": [result(), result(KERAS, epoch_s=2.0), result(workload=OTHER_WORKLOAD)],
    "cuda": clear() + session({PYTORCH: [0.1]}, device="cuda", readings=READINGS | {"device_peak_bytes": 3}),
    "no memory": [result(readings={})],
    "unknown network": [result(workload=replace(OTHER_WORKLOAD, name="mine"))],
    "an unknown tier": [result(), replace(result("mine"), cell=replace(result("mine").cell, tier="new"))],
}


@pytest.fixture(scope="module")
def page_of(html: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """``page_of(name)``: the page of a case with its charts, drawn once for all tests that look at it."""
    pages = {"clear": html}

    def page_of(name: str) -> str:
        if name not in pages:
            pages[name] = page(tmp_path_factory.mktemp("case"), CASES[name])
        return pages[name]

    return page_of


@pytest.mark.parametrize("name", CASES)
def test_a_report_is_made_of_whatever_there_is(page_of: Callable[[str], str], name: str) -> None:
    """No combination of missing figures stops it, and none shows as nan or None."""
    shown = re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]+>", " ", page_of(name), flags=re.DOTALL)
    assert not re.search(r"\b(nan|None|inf)\b", shown)


def test_machines_that_were_not_described_are_no_obstacle(tmp_path: Path, undrawn: None) -> None:
    """An old directory may lack them."""
    assert "2.92 times as long" in page(tmp_path, clear(), machine=None)


def test_foreign_text_is_escaped(tmp_path: Path, undrawn: None) -> None:
    """A log cannot become part of the page."""
    html = page(tmp_path, [*clear(), result(KERAS, 4, status="failed", reason=HOSTILE, log_tail=HOSTILE)])
    assert "<script>alert" not in html and html.count("&lt;script&gt;") >= 2


def test_text_of_others_is_clean_wherever_it_is_shown(tmp_path: Path, undrawn: None) -> None:
    """In the page, in Markdown, in the CSVs: no escape sequence, no half of a character, no formula."""
    hostile = "=1+1 \x1b[31m\x00"
    machine = replace(MACHINE, cpu=hostile)
    failed = result(KERAS, 4, status="failed", reason=hostile, log_tail=hostile, repeated=hostile)
    build.build(stored(tmp_path, [*clear(), failed], machine=machine))
    files = [path for path in tmp_path.rglob("*") if path.suffix in (".html", ".md", ".csv")]
    assert len(files) > 5
    for path in files:
        assert all(letter.isprintable() or letter in "\n\t\xa0" for letter in path.read_text(encoding="utf-8")), path
    assert ",'=1+1  ," in (tmp_path / "runs.csv").read_text()


def test_foreign_text_is_escaped_in_markdown(tmp_path: Path, undrawn: None) -> None:
    """Neither tags nor links nor columns."""
    build.build(stored(tmp_path, [*clear(), result(KERAS, 4, status="failed", reason=HOSTILE)]))
    written = (tmp_path / "report.md").read_text()
    assert "<script" not in written and r"\[x\](javascript:1) \|" in written


def test_the_page_loads_nothing(html: str) -> None:
    """One file that can be sent to anyone; no address is asked for anything."""
    told = re.sub(r"'sha256-[^']*'", "", html)
    assert not re.search(r"""(?:https?:)?//[\w.]+|@import|url\((?!#)""", told)
    assert all("src" not in attributes for tag, attributes in Elements(html).found if tag == "script")


def test_links_lead_to_files_that_are_there(usual: Path, html: str) -> None:
    """CSVs beside the page, and anchors within it."""
    elements = Elements(html).found
    ids = {attributes.get("id") for _, attributes in elements}
    links = [str(attributes["href"]) for tag, attributes in elements if tag == "a"]
    assert all(link[1:] in ids if link.startswith("#") else (usual / link).exists() for link in links)


def test_every_picture_has_a_text_alternative(html: str) -> None:
    """Title and description with the numbers, named by the picture."""
    elements = Elements(html).found
    ids = {attributes.get("id") for _, attributes in elements}
    pictures = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(pictures) == 5
    assert all(p["role"] == "img" and set(str(p["aria-labelledby"]).split()) <= ids for p in pictures)


def test_ids_are_unique(page_of: Callable[[str], str]) -> None:
    """Several charts of several networks stand in one page."""
    found = [attributes["id"] for _, attributes in Elements(page_of("two networks")).found if "id" in attributes]
    assert len(found) == len(set(found))


def test_the_page_follows_light_and_dark(html: str) -> None:
    """As the reader's system asks for."""
    assert "color-scheme: light dark" in html and "prefers-color-scheme: dark" in html and "currentColor" in html


def test_the_page_opens_with_a_line_for_each_question(html: str) -> None:
    """How many times as long, in each tier that was measured; how sure that is where it is not."""
    lines = [re.sub("<[^>]*>", "", line) for line in re.findall(r'<p class="lead">(.*?)</p>', html)]
    assert [line.replace("\N{NO-BREAK SPACE}", " ").split(" as long as ")[0] for line in lines] == [
        "Doing the same, Keras on TensorFlow took 2.92 times",
        "As the tutorials write it, PyTorch took 4.27 times",
    ]


def test_the_sections_stand_in_their_order(html: str) -> None:
    """The answer first, then the claims; the rest is folded, the machine last."""
    sections = [attributes["id"] for tag, attributes in Elements(html).found if tag == "section"]
    assert sections == ["answer", "claims", "comparison", "evidence", "detail", "method", "machine"]
    folded = re.findall(r'<section id="(\w+)">\n<details>', html)
    assert folded == sections[2:]


def test_a_failed_cell_shows_the_end_of_its_log(tmp_path: Path, undrawn: None) -> None:
    """Enough to begin looking for the cause."""
    html = page(tmp_path, [*clear(), result(KERAS, 4, status="failed", reason="broke", log_tail="Traceback: line 7")])
    assert "broke" in html and "<pre>Traceback: line 7</pre>" in html


def test_a_block_that_was_repeated_is_told(tmp_path: Path, undrawn: None) -> None:
    """With what disturbed it; its cells say which attempt they are."""
    again = {"attempt": 2, "repeated": "matched-keras: 12 % of its CPU time stolen by other machines"}
    found = [replace(one, **again) if one.cell.block == 2 else one for one in clear()]
    why = "Block 2 of mlp-128-64 was measured again, without a look at its times, since: matched-keras: 12 %"
    assert why in said(tmp_path, found)
    assert build.build(tmp_path).html.read_text().count("attempt 2") == 5


def test_what_disturbed_a_cell_stands_beside_it(tmp_path: Path, undrawn: None) -> None:
    """Counted in the opening's last line, in words in the table of cells."""
    found = clear()
    found[0] = replace(found[0], readings=found[0].readings | {"steal_s": 2.0})
    counted = "1 process of 15 ran disturbed, such as matched-pytorch in block 1: 20 % of its CPU time stolen"
    assert counted in said(tmp_path, found)
    assert "20 % of its CPU time stolen by other machines" in build.build(tmp_path).html.read_text()


def test_memory_and_accuracy_of_the_pairs_are_judged(tmp_path: Path, undrawn: None) -> None:
    """In words, with the difference and its interval."""
    readings = clear()[0].readings | {"process_peak_bytes": 1_520_000_000}
    better = {"readings": readings, "accuracy": 0.98, "data": "harder"}
    found = [
        result(KERAS, one.cell.block, 2.9, **better) if one.cell.implementation == KERAS else one
        for one in clear(data="harder")
    ]
    words = " ".join(re.sub("<[^>]*>", " ", page(tmp_path, found)).split())
    assert (
        "Keras on TensorFlow (matched) PyTorch (matched) memory Keras on TensorFlow (matched): more 2.00 times" in words
    )
    assert "accuracy Keras on TensorFlow (matched): more right +1.00 points +1.00 to +1.00" in words
    assert "equal within 0.2 points" in words


def test_the_break_even_epoch_is_told(tmp_path: Path, undrawn: None) -> None:
    """Never mixed with steady epochs: a table of its own."""
    slow_start = [
        replace(result("tuned-jax", block, 0.5), phases=Phases(import_s=9.0, build_s=0.02, load_s=0.3, process_s=20.0))
        for block in (1, 2, 3)
    ]
    words = " ".join(re.sub("<[^>]*>", " ", page(tmp_path, [*clear(), *slow_start])).split())
    assert "break-even" in words and "JAX (tuned) PyTorch (matched)" in words


def test_a_difference_that_others_took_away_is_explained(tmp_path: Path) -> None:
    """Sure alone, not sure among many: the sentence says that the other questions were counted."""
    found = session({"matched-pytorch": [1.0] * 4, "matched-keras": [1.05, 1.12, 1.06, 1.15]})
    for i in range(4):
        equal = {"matched-pytorch": [1.0, 1.2, 1.0, 0.9], "matched-keras": [1.0, 1.0, 1.1, 1.0]}
        found += session(equal, workload=replace(OTHER_WORKLOAD, name=f"n{i}"))
    assert "That is not certain once all questions are counted (p = " in said(tmp_path, found)


def test_a_large_session_stays_below_a_megabyte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts and logs beyond the limit are left to their files."""
    large = "<svg><title>t</title><desc>d</desc>" + "<g/>" * 20_000 + "</svg>"
    drawn = replace(memory.CHAPTER, charts=lambda _, group: [Chart(f"memory.{group.key}", group.title, "words", large)])
    monkeypatch.setattr(report_page, "CHAPTERS", [*UNDRAWN, drawn])
    names = [replace(OTHER_WORKLOAD, name=f"network-{number}") for number in range(20)]
    networks = [found for workload in names for found in session({PYTORCH: [1.0], KERAS: [2.0]}, workload=workload)]
    failed = [result(f"plugin-{n}", status="failed", reason=f"no {n}", log_tail="x" * 8000) for n in range(1, 99)]
    assert len(page(tmp_path, networks + failed).encode()) < 1_000_000


def test_charts_beyond_the_limit_are_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missing from a page; it is only not in it."""
    monkeypatch.setattr(report_page, "INLINED", 1)
    links = [attributes.get("href") for _, attributes in Elements(page(tmp_path, [result()])).found]
    assert "charts/memory.mlp-128-64.cpu.2t.svg" in links


def test_switches_that_all_share_are_told_once(html: str) -> None:
    """And those that differ, for each implementation."""
    assert html.count("OMP_NUM_THREADS") == 1 and html.count("takes_order") >= 2


def test_adams_form_is_declared(html: str) -> None:
    """Equal epsilons are not equal equations."""
    assert "as Keras writes it, epsilon 1e-07" in html and "as PyTorch writes it, epsilon 1e-08" in html


def test_the_standalone_pictures_are_well_formed(usual: Path) -> None:
    """Each SVG file can be opened by itself."""
    assert all(ElementTree.parse(path).getroot().tag.endswith("svg") for path in (usual / "charts").glob("*.svg"))


@pytest.mark.parametrize(("device", "told"), [("cpu", False), ("cuda", True)])
def test_the_gpu_is_named_where_cells_ran_on_it(tmp_path: Path, device: str, told: bool) -> None:
    """A machine may have one that nobody used."""
    results = session({"matched-pytorch": [1.0]}, device=device)
    directory = save(tmp_path / "out", results, replace(MACHINE, gpus="Imaginary GPU"))
    assert ("Imaginary GPU" in report_page.facts(build.read(directory))) is told


def test_the_first_sentence_begins_with_the_ratio(tmp_path: Path) -> None:
    """Also where nothing could be shown: what qualifies it comes after it."""
    noisy = session({PYTORCH: [1.0, 1.3, 0.9], KERAS: [1.1, 1.0, 1.05]}, [1.0, 1.2, 1.0])
    equal = session({PYTORCH: [1.0, 1.001, 0.999], KERAS: [1.003, 1.002, 1.001]}, [1.0, 1.001, 1.0])
    for number, found in enumerate((clear(), noisy, equal, session({PYTORCH: [1.0], KERAS: [2.9]}))):
        start = r"(PyTorch|Keras on TensorFlow) took [\d.]+ times as long as (PyTorch|Keras on TensorFlow) \(matched\)"
        assert re.match(start, said(tmp_path / str(number), found))


def test_what_is_answered_so_far_counts_the_questions_that_follow(tmp_path: Path) -> None:
    """After the first stage of a run: the same difference is less sure where more is going to be asked."""
    directory = save(tmp_path, session({PYTORCH: [1.0] * 4, KERAS: [1.05, 1.12, 1.06, 1.15]}))
    alone, among_many = (" ".join(build.answer(directory, questions).split()) for questions in (1, 6))
    assert "PyTorch is faster: p = 0.0" in alone
    assert "That is not certain once all questions are counted (p = " in among_many


def test_pairs_across_tiers_are_shown_without_a_verdict(usual: Path) -> None:
    """With ratio and interval, and without a p value."""
    rows = [line for line in (usual / "report.md").read_text().splitlines() if "exploratory: no verdict" in line]
    across = [row for row in rows if "PyTorch (matched) | PyTorch (documented)" in row]
    assert len(across) == 1 and re.search(r"no verdict \| 9\.77 \| 9\.6\d–9\.9\d \| – \| 3 \|", across[0]), across
