"""Table 1: verdicts from stored counts, and how the page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats
from synthetic import MACHINE, UNDRAWN, clear, save

from bench.data import tutorials
from bench.report import build, page
from bench.report.chapters.claims import properties, rules, tables
from bench.report.chapters.claims import verdicts as claims_verdicts
from bench.report.chapters.claims.sources import Program
from bench.store import archive, sources
from bench.store.records.probe import Mode, Probe
from impls import registry

EAGER = Mode("eager", 100, 0, (100, 100), 200, 200, 200, ("Tensor",), None, (2.0, 1.0, 1.1))
COMPILED = replace(EAGER, name="torch.compile", graphs=1, epoch_s=())
FIT = Mode("fit", 100, 0, (3, 0), 3, 3, 0, ("SymbolicTensor",), None, (9.0, 1.0, 1.0, 2.0))
EAGERLY = Mode("run_eagerly=True", 100, 0, (101, 100), 201, 201, 200, ("SymbolicTensor", "EagerTensor"), None,
               (9.0, 8.0, 7.0, 9.0))  # fmt: skip
PYTORCH = Probe("pytorch", "mlp-128-64", 2, "d1", "2026-01-01T00:00:00.000+00:00", MACHINE.machine, "ok", "",
                {"torch": "2.14.1"}, "eager", (EAGER, COMPILED))  # fmt: skip
KERAS = replace(PYTORCH, framework="keras", versions={"keras": "3.15.1", "tensorflow": "2.21.0"}, default="fit",
                modes=(FIT, EAGERLY), tools={"tfdbg": True, "TensorBoard": False})  # fmt: skip


@dataclass(frozen=True)
class Export:
    """As the record of an export will be."""

    format: str
    by: str
    status: str = "ok"
    reason: str = ""
    size_bytes: int | None = 436_000
    images: int | None = 10_000
    agree: int | None = 10_000
    one_image_s: float | None = 25e-6


def program(names: int, calls: int) -> Program:
    """A program with so many names of its framework, and calls in its loop."""
    return Program("", "", 80, 10, calls, tuple(f"nn.Name{number}" for number in range(names)))


PROGRAMS = {"documented-pytorch": program(24, 14), "documented-keras": program(11, 1)}
EXPORTS = (Export("onnx", "pytorch"), Export("onnx", "keras"), Export("litert", "keras"))


def evidence(
    found: Sequence[Probe] = (PYTORCH, KERAS), programs: Any = PROGRAMS, exports: Sequence[Any] = EXPORTS
) -> rules.Evidence:
    """What the table is decided by."""
    return rules.Evidence({probe.framework: probe for probe in found}, programs, exports)


def table(*arguments: Any, **options: Any) -> pd.DataFrame:
    """The table by claim, as it is written, each verdict with its reason."""
    made = claims_verdicts.in_words(properties.table_1(evidence(*arguments, **options))).set_index("claim")
    reasons = made["reason"].fillna("").map(lambda reason: f": {reason}" if reason else "")
    return made.assign(verdict=made["verdict"] + reasons)


def verdicts(*found: Probe) -> dict[str, str]:
    """What becomes of each statement with these probes alone."""
    return dict(table(found, {}, ())["verdict"])


def test_every_statement_of_the_document_is_decided() -> None:
    """With PyTorch and Keras as they are, programs of both and exports that agree."""
    assert dict(table()["verdict"]) == {
        "dynamic": "confirmed",
        "executed at once": "confirmed",
        "static": "confirmed by default",
        "must be defined first": "refuted",
        "ordinary Python debuggers work": "confirmed",
        "needs a special tool (tfdbg)": "refuted",
        "close to native Python": "no verdict, a matter of taste",
        "a style of its own": "no verdict, a matter of taste",
        "supported": "confirmed",
        "weaker ecosystem": "no verdict, a matter of taste",
        "mature, through TF Lite": "confirmed",
    }


def test_figures_are_those_of_the_raw_counts() -> None:
    """Calls and stops by step; the cost of a mode is the ratio of the geometric means of its steady epochs."""
    value = table()["value"]
    assert value["dynamic"] == value["ordinary Python debuggers work"] == 1.0
    assert value["static"] == pytest.approx(3 / 200)
    assert value["needs a special tool (tfdbg)"] == pytest.approx(
        stats.gmean([8.0, 7.0, 9.0]) / stats.gmean([1.0, 1.0, 2.0])
    )
    assert (value["close to native Python"], value["a style of its own"]) == (24, 1)
    assert (value["supported"], value["mature, through TF Lite"]) == (1, 1)


def test_every_rule_is_used_and_every_statement_has_one() -> None:
    """The file with the claims and the rules know each other."""
    statements = [statement for tutorial in tutorials.load() for statement in tutorial.statements]
    assert {statement.decided for statement in statements} == set(rules.RULES)
    assert len({(statement.framework, statement.claim) for statement in statements}) == len(statements)


@pytest.mark.parametrize(
    ("mode", "claim"),
    [
        (replace(EAGER, calls=(100, 0)), "dynamic"),
        (replace(EAGER, calls=(1, 0)), "dynamic"),
        (replace(EAGER, numbers=199), "executed at once"),
        (replace(EAGER, stops=0, numbers=0), "ordinary Python debuggers work"),
    ],
)
def test_a_pytorch_that_traced_would_be_found_out(mode: Mode, claim: str) -> None:
    """A single step without Python, or without numbers, is enough."""
    assert verdicts(replace(PYTORCH, modes=(mode, COMPILED)))[claim] == "refuted"


@pytest.mark.parametrize(
    ("modes", "claim", "verdict"),
    [
        ((replace(FIT, calls=(100, 100)), EAGERLY), "static", "refuted"),
        ((replace(FIT, calls=(3, 1)), EAGERLY), "static", "refuted"),
        ((FIT, replace(EAGERLY, calls=(3, 0))), "static", "confirmed"),
        ((FIT,), "static", "confirmed"),
        ((replace(FIT, before=1), replace(EAGERLY, numbers=0)), "must be defined first", "confirmed"),
        ((replace(FIT, before=1), EAGERLY), "must be defined first", "refuted"),
        ((FIT, replace(EAGERLY, numbers=199)), "needs a special tool (tfdbg)", "confirmed"),
        ((replace(FIT, numbers=200), EAGERLY), "needs a special tool (tfdbg)", "refuted"),
    ],
)
def test_a_keras_that_did_otherwise_would_be_found_out(modes: tuple[Mode, ...], claim: str, verdict: str) -> None:
    """Counts decide, not names."""
    assert verdicts(replace(KERAS, modes=modes))[claim] == verdict


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ((), "no probe of PyTorch in this run"),
        ((replace(PYTORCH, status="skipped", reason="torch is not installed", modes=(), versions={}),),
         "torch is not installed"),
        ((replace(PYTORCH, modes=(COMPILED,), lost={"eager": "OSError: no"}),), "eager did not run (OSError: no)"),
        ((replace(PYTORCH, modes=()),), "eager did not run (it said nothing)"),
    ],
)  # fmt: skip
def test_what_was_not_probed_says_why(found: tuple[Probe, ...], why: str) -> None:
    """No figure, and no other mode stands in for the default."""
    row = table(found, {}, ()).loc["dynamic"]
    assert row["verdict"] == f"not tested: {why}" and pd.isna(row["value"]) and pd.isna(row["found"])


def test_a_mode_that_was_lost_is_told_beside_the_others() -> None:
    """The default's verdict stands."""
    row = table([replace(PYTORCH, modes=(EAGER,), lost={"torch.compile": "no compiler"})]).loc["dynamic"]
    assert row["verdict"] == "confirmed" and "torch.compile: not measured (no compiler)" in row["found"]


@pytest.mark.parametrize(
    ("programs", "verdict"),
    [
        ({"documented-pytorch": program(10, 14), "documented-keras": program(11, 1)}, "no verdict, a matter of taste"),
        ({"matched-pytorch": program(10, 14), "matched-keras": program(11, 1)}, "no verdict, a matter of taste"),
        (PROGRAMS | {"matched-pytorch": program(10, 14), "matched-keras": program(11, 1)},
         "no verdict, a matter of taste"),
        ({"tuned-pytorch": program(10, 14), "tuned-keras": program(11, 1)},
         "not tested: needs the programs of both frameworks, documented or matched"),
        ({"documented-pytorch": program(10, 14), "matched-keras": program(11, 1)},
         "not tested: needs the programs of both frameworks, documented or matched"),
    ],
)  # fmt: skip
def test_names_are_counted_in_the_documents_own_programs(programs: dict[str, Program], verdict: str) -> None:
    """Where they were run; else in the matched ones, never across tiers, and never in tuned ones."""
    assert table(programs=programs).loc["close to native Python", "verdict"] == verdict


@pytest.mark.parametrize(
    ("changed", "claim", "verdict"),
    [
        ({"agree": 9_999}, "mature, through TF Lite", "refuted"),
        ({"status": "failed", "reason": "off"}, "mature, through TF Lite", "refuted"),
        ({"images": None, "agree": None, "status": "skipped", "reason": "no converter"}, "mature, through TF Lite",
         "refuted"),
        ({"agree": 9_999}, "weaker ecosystem", "no verdict, a matter of taste"),
        ({"format": "native"}, "mature, through TF Lite", "not tested: no network was exported from Keras on "
         "TensorFlow"),
    ],
)  # fmt: skip
def test_an_export_counts_once_it_agrees_on_every_image(changed: dict[str, Any], claim: str, verdict: str) -> None:
    """One image of 10,000 is enough; and a framework's own format is no portable one."""
    exports = (EXPORTS[0], EXPORTS[1], replace(EXPORTS[2], **changed))
    assert table(exports=exports).loc[claim, "verdict"] == verdict


def test_exports_are_told_with_their_figures() -> None:
    """Images, size, time of one image, in the units of each."""
    found = table().loc["mature, through TF Lite", "found"]
    assert found == "litert: 10,000 of 10,000 test images alike, 436 kB, one image in 25 µs"


def test_the_table_for_people_has_claim_finding_and_versions() -> None:
    """By property; who was probed, with which versions and on what stands beneath."""
    sheet = properties.properties_table(properties.table_1(evidence([PYTORCH, KERAS], exports=[])))
    first = dict(zip(sheet.columns, sheet.rows[0], strict=True))
    assert (first["property"], first["framework"], first["the tutorial says"], first["verdict"]) == (
        "computation graph", "PyTorch", "dynamic", "confirmed",
    )  # fmt: skip
    assert first["found"].splitlines() == [
        "eager: Python ran 200 times in 200 steps",
        "torch.compile: Python ran 200 times in 200 steps; without it, 1 graph served all steps",
    ]
    assert "PyTorch was probed on 2026-01-01: torch 2.14.1; mlp-128-64, CPU, 2 threads." in sheet.note
    assert "tensorflow 2.21.0" in sheet.note
    assert all(len(row) == len(sheet.columns) for row in sheet.rows)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without charts: they are made elsewhere and take their time."""
    monkeypatch.setattr(page, "CHAPTERS", UNDRAWN)


def test_statements_are_lines_of_the_ledger_with_a_link(tmp_path: Path, undrawn: None) -> None:
    """In tables/claims.csv, with a query that finds the row; the page leads to the table."""
    directory = save(tmp_path / "out", clear())
    for answer in (PYTORCH, KERAS):
        archive.save_record(directory, answer)
    sources.keep(directory, [entry for entry in registry.BUILT_IN if entry.tier in ("documented", "matched")])
    html = build.build(directory).html.read_text()
    claims = pd.read_csv(directory / "tables" / "claims.csv").set_index("says")
    rows = pd.read_csv(directory / "tables" / "table_1.csv")
    own = claims[claims["tier"] == claims_verdicts.PROBE]
    assert set(own.index) == set(rows["says"])
    for says, line in own.iterrows():
        (decides,) = rows.query(line["rows"]).to_dict("records")
        assert decides["says"] == says and decides["verdict"] == line["verdict"]
    assert html.index('id="table-1"') < html.index('id="table-4"') and 'href="#table-1"' in html
    assert "torch.compile: Python ran 200 times" in html
    assert "Properties (Table 1)" in (directory / "report.md").read_text()
    sheet = tables.ledger(build.read(directory).frames["claims"])
    assert "6.32\ntimes as long to be debugged" in {row[3] for row in sheet.rows}


def test_without_a_probe_the_report_says_so(tmp_path: Path, undrawn: None) -> None:
    """As in a result directory of before there were any."""
    html = build.build(save(tmp_path / "out", clear())).html.read_text()
    assert "not tested: no probe of PyTorch in this run" in html
