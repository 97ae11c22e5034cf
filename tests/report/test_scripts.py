"""The scripts of a page: what may run in it, and tables that sort by their headings."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from browser import Browser
from synthetic import clear, save

from bench.display import html, numbers
from bench.display.section import Shown
from bench.display.tables import Sheet
from bench.report import build, scripts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the usual session."""
    made = save(tmp_path_factory.mktemp("usual"), clear())
    build.build(made)
    return made


def test_the_policy_allows_the_scripts_in_the_page_and_nothing_else(directory: Path) -> None:
    """Each by the hash of what stands between its tags; nothing is loaded, nothing is sent."""
    html = (directory / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    stand = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in stand]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["script-src"].split() == hashes and hashes
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert set(rules) == {"default-src", "style-src", "img-src", "base-uri", "form-action", "script-src"}
    assert html.count("<script") == len(stand) and not re.search(r"\son\w+=", html)


def test_without_scripts_none_may_run() -> None:
    """The policy of a page that carries none has no exception."""
    assert "script-src" not in scripts.policy([])


def test_other_scripts_do_not_run(browser: Browser, directory: Path, tmp_path: Path) -> None:
    """One that somebody has put into the page is refused, and the page says so in its log."""
    html = (directory / "report.html").read_text(encoding="utf-8")
    changed = tmp_path / "changed.html"
    changed.write_text(html.replace("</body>", "<script>document.title = 'changed'</script></body>"))
    browser.open(changed)
    assert browser.evaluate("document.title") != "changed" and len(browser.complaints) == 1


COLUMNS = ("name", "time", "share", "note")
ROWS = (
    ("b", "150 ms (140–160)", "2.50 %", "x 10"),
    ("a\nsmall", "1.20 s\n3 times", "about 12 %", "x 9"),
    ("c", numbers.Reason("not measured"), numbers.Reason("not measured"), numbers.MISSING),
    ("d", "2 min", "−1.0 %", "x 100"),
    ("e", "1,000 s", "over 1,000 %", "y"),
)
SHARES = ["d", "b", "asmall", "e", "c"]


def shown(tmp_path: Path, sheet: Sheet) -> Path:
    """A page with nothing but this table."""
    path, script = tmp_path / "table.html", scripts.read("sort.js")
    path.write_text(f"<!doctype html><body>{html.table(Shown(sheet))}<script>{script}</script>", encoding="utf-8")
    return path


def test_cells_without_a_figure_are_marked(tmp_path: Path) -> None:
    """Dashes and reasons alike, so that the script need not read them; a reason is written small."""
    rows = [
        ("a", numbers.MISSING, numbers.Absent("never"), numbers.Reason("not measured: no GPU")),
        ("b", "1 s", "2", "x"),
    ]
    html = shown(tmp_path, Sheet("", COLUMNS, tuple(rows))).read_text()
    assert len(re.findall("data-absent[ >]", html)) == 3 and '<td class="why" data-absent' in html
    assert "not measured" not in scripts.read("sort.js")


def names(browser: Browser) -> list[str]:
    return browser.evaluate("[...document.querySelectorAll('tbody tr')].map((row) => row.cells[0].textContent.trim())")


def pressed(browser: Browser, column: int) -> list[str]:
    browser.evaluate(f"document.querySelectorAll('thead button')[{column}].click()")
    return names(browser)


@pytest.mark.parametrize(
    ("column", "upwards"),
    [
        (0, ["asmall", "b", "c", "d", "e"]),
        (1, ["b", "asmall", "d", "e", "c"]),
        (2, SHARES),
        (3, ["asmall", "b", "d", "e", "c"]),
    ],
)
def test_a_heading_sorts_by_value(browser: Browser, tmp_path: Path, column: int, upwards: Sequence[str]) -> None:
    """Numbers with their units, words as people sort them; what was not measured is last, upwards and downwards."""
    browser.open(shown(tmp_path, Sheet("", COLUMNS, ROWS)))
    before = names(browser)
    assert pressed(browser, column) == list(upwards)
    last = [name for name in upwards if name == "c" and column]
    assert pressed(browser, column) == [name for name in reversed(upwards) if name not in last] + last
    assert pressed(browser, column) == before


def test_the_order_is_told(browser: Browser, tmp_path: Path) -> None:
    """To those who do not see the arrow; one heading at a time, and with the keyboard alone."""
    browser.open(shown(tmp_path, Sheet("", COLUMNS, ROWS)))
    told = "[...document.querySelectorAll('thead th')].map((heading) => heading.getAttribute('aria-sort'))"
    pressed(browser, 0)
    browser.evaluate("document.querySelectorAll('thead button')[0].focus()")
    browser.key("Enter", 13, "\r")
    assert browser.evaluate(told) == ["descending", None, None, None]
    browser.key("Tab", 9)
    browser.key("Enter", 13, "\r")
    assert browser.evaluate(told) == [None, "ascending", None, None] and names(browser)[0] == "b"


def test_rows_stay_in_their_group(browser: Browser, tmp_path: Path) -> None:
    """Each group is sorted by itself, beneath its own heading."""
    rows = (("one", "b", "2 s"), ("one", "a", "1 s"), ("two", "d", "9 s"), ("two", "c", "3 s"))
    browser.open(shown(tmp_path, Sheet("", ("group", "name", "time"), rows, texts=2, grouped=True)))
    assert pressed(browser, 1) == ["one", "a", "b", "two", "c", "d"]


def test_tables_in_which_order_means_nothing_do_not_sort(browser: Browser, directory: Path) -> None:
    """Properties of the machine, counts of programs; the summary does sort, and headings look as before without it."""
    browser.open(directory / "report.html")
    buttons = "document.querySelectorAll('#{} thead button').length"
    assert browser.evaluate(buttons.format("answer")) >= 6 and browser.evaluate(buttons.format("machine")) == 0
    assert "<button" not in (directory / "report.html").read_text(encoding="utf-8")
    assert browser.complaints == []


def test_the_page_is_no_wider_than_a_phone(browser: Browser, directory: Path) -> None:
    """Tables and charts scroll by themselves; what is touched is large enough for a finger."""
    browser.open(directory / "report.html", (390, 844))
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    heights = browser.evaluate("[...document.querySelectorAll('nav a, summary, thead button')]"
                               ".map((one) => one.getBoundingClientRect().height).filter((height) => height > 0)")  # fmt: skip
    assert min(heights) >= 24


@pytest.mark.parametrize("width", [360, 390, 768, 1280, 1920])
def test_the_committed_page_is_short_and_fits(browser: Browser, width: int) -> None:
    """Without opening anything: 1,200 words, six screens, and nothing beyond the window; charts show all their labels."""
    browser.open(ROOT / "results" / "reference" / "report.html", (width, 1000))
    assert browser.complaints == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert len(browser.evaluate("document.body.innerText").split()) <= 1200
    assert browser.evaluate("document.documentElement.scrollHeight") <= (6000 if width >= 1280 else 9000)
    chart = "document.querySelector('.opening svg')"
    beyond = browser.evaluate(
        f"[...{chart}.querySelectorAll('text')].map(e => e.getBoundingClientRect())"
        f".filter(r => r.left < -1 || r.right > {width} + 1).length"
    )
    assert beyond == 0


def test_a_link_to_what_is_folded_opens_it(browser: Browser) -> None:
    """The contents lead to sections that show their headings alone."""
    browser.open(ROOT / "results" / "reference" / "report.html")
    opened = "document.querySelector('#machine > details').open"
    assert not browser.evaluate(opened)
    browser.evaluate("location.hash = '#machine'")
    browser.evaluate("new Promise(done => setTimeout(done, 100))")
    assert browser.evaluate(opened)
