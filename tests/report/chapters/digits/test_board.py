"""The drawing board: what is embedded, and what it does in a real browser with real digits."""

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import strokes
from browser import Browser
from synthetic import MACHINE, UNDRAWN, WORKLOAD, result, save

from bench.data import download, mnist
from bench.errors import FcnBenchError
from bench.models import centring
from bench.report import build
from bench.report import page as page_module
from bench.report.chapters.digits import board
from bench.store import archive, models
from bench.store.models import Model
from impls import portable
from impls.contract import Data, Weights
from impls.oracle import training
from impls.workload import Adam, Conv, Dense, Dropout, Pool, Workload

PAIR = ("matched-pytorch", "matched-keras")
SIDE, SHOWN = 280, 200
OWN = replace(
    WORKLOAD,
    name="own",
    layers=(
        Pool(2), Conv(3, 4, 1, "tanh"), Pool(3), Conv(5, 3, 1, "relu"), Dropout(0.2), Dense(12, "sigmoid"), Dense(10),
    ),
)  # fmt: skip
LARGE = replace(WORKLOAD, name="large", layers=(Dense(400, "relu"), Dense(10)))


def kept(directory: Path, workload: Workload, weights: dict[str, Weights]) -> Path:
    """A result directory with these trained networks, and its report."""
    with archive.opened(directory):
        for name, own in weights.items():
            found = result(name, workload=workload)
            about = {"implementation": name, "framework": found.cell.framework, "versions": {}}
            digest = portable.save(archive.unfinished_model(directory, found.cell), workload, own, about)
            archive.save(directory, replace(found, model=digest))
        archive.save_record(directory, MACHINE)
    build.build(directory)
    return directory


def untrained(workload: Workload) -> dict[str, Weights]:
    return {name: training.initial_weights(workload, np.random.default_rng(seed)) for seed, name in enumerate(PAIR)}


def page(directory: Path) -> str:
    return (directory / "report.html").read_text(encoding="utf-8")


def embedded(directory: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="board-networks">(.*?)</script>', page(directory))
    return json.loads(found[1])


@pytest.fixture(scope="module", autouse=True)
def undrawn() -> Iterator[None]:
    """No charts: nothing here is about them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_module, "CHAPTERS", UNDRAWN)
        yield


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with networks that were not trained: for what needs no right answers."""
    return kept(tmp_path_factory.mktemp("plain"), WORKLOAD, untrained(WORKLOAD))


def test_the_weights_in_the_page_are_the_stored_ones_bit_for_bit(plain: Path) -> None:
    """Float32 as base64: nothing is rounded."""
    asked = models.of_results(plain, archive.results(plain))
    by_name = {model.implementation: model for model in asked}
    for name, network in zip(PAIR, embedded(plain)["networks"], strict=True):
        arrays = [array.ravel() for pair in by_name[name].weights for array in pair]
        assert base64.b64decode(network["weights"]) == np.concatenate(arrays).astype("<f4").tobytes()


def test_the_page_stays_below_three_megabytes(plain: Path) -> None:
    """With the weights of document 1's two networks in it."""
    assert (plain / "report.html").stat().st_size < 3_000_000


def test_results_without_networks_have_no_board(tmp_path: Path) -> None:
    """No section, no entry in the contents, no script of the board, no word in the Markdown."""
    build.build(save(tmp_path, [result(name) for name in PAIR]))
    assert "draw" not in re.findall(r'(?:id|href)="#?([\w-]+)"', page(tmp_path))
    assert 'id="board-' not in page(tmp_path) and "has a drawing board" not in (tmp_path / "report.md").read_text()


def test_a_network_that_diverged_is_not_on_the_board(tmp_path: Path) -> None:
    """Its logits are no numbers and say no digit; the other one is asked alone."""
    networks = untrained(WORKLOAD)
    networks[PAIR[0]][0][0][3, 3] = np.nan
    board = embedded(kept(tmp_path, WORKLOAD, networks))
    assert len(board["networks"]) == 1
    networks[PAIR[1]][0][0][3, 3] = np.inf
    assert 'id="board-networks"' not in page(kept(tmp_path / "none", WORKLOAD, networks))


def test_a_board_is_in_the_contents_and_named_in_the_markdown(plain: Path) -> None:
    """A reader of either page finds it."""
    assert '<li><a href="#draw">' in page(plain) and "drawing board" in (plain / "report.md").read_text()


def test_networks_that_are_too_large_are_asked_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page names the command and the files, and carries no weights."""
    monkeypatch.setattr(board, "LIMIT", 1_000_000)
    directory = kept(tmp_path, LARGE, untrained(LARGE))
    said = re.search(r"<pre>(fcnbench predict .*?)</pre>", page(directory), re.DOTALL)
    files = [line.split()[-1] for line in said[1].splitlines()]
    assert len(files) == 2 and all((directory / file).exists() for file in files)
    assert "318,010 parameters" in page(directory) and "board-networks" not in page(directory)


def test_the_documents_largest_network_is_too_large() -> None:
    """3.3 million parameters are 17 MB of base64, a dense network of the documents at most a megabyte and a half."""
    assert 2 * 4 / 3 * 4 * 3_274_634 > board.LIMIT > 2 * 4 / 3 * 4 * WORKLOAD.parameters


def test_the_tier_that_has_both_frameworks_is_asked() -> None:
    """The matched pair before the documented one; one that lacks a framework steps back."""
    names = ["documented-keras", "documented-pytorch", "matched-keras", "matched-pytorch", "reference-numpy"]
    found = [Model(name, WORKLOAD, [], name, name.split("-")[1]) for name in names]
    tiers = {name: name.split("-")[0] for name in names}
    assert [model.name for model in board.pair(found, tiers)] == ["matched-pytorch", "matched-keras"]
    without = [model for model in found if model.name != "matched-keras"]
    assert [model.name for model in board.pair(without, tiers)] == ["documented-pytorch", "documented-keras"]
    assert [model.name for model in board.pair(found[-1:], tiers)] == ["reference-numpy"]
    assert board.pair([], {}) == []


def test_a_network_that_was_changed_is_refused(plain: Path, tmp_path: Path) -> None:
    """Nobody draws for weights that were never trained."""
    copy = Path(shutil.copytree(plain, tmp_path / "copy"))
    first = min((copy / "models").glob("*.npz"))
    first.write_bytes(first.read_bytes() + b"\0")
    with pytest.raises(FcnBenchError, match="is not the one that was trained"):
        board.of_results(build.read(copy))


@pytest.fixture(scope="module")
def digits() -> Data:
    """MNIST."""
    return mnist.load(download.find())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, digits: Data) -> Path:
    """Document 1's network, trained on half of the images from two starts."""
    work = replace(WORKLOAD, batch_size=128, optimiser=Adam(2e-3))
    x, made = work.scale(digits.x_train[:30_000]), {}
    for seed, name in enumerate(PAIR):
        random = np.random.default_rng(seed)
        order, start = random.permutation(len(x)), training.initial_weights(work, random)
        weights, *_ = training.train_steps(work, start, x, digits.y_train, order, "pytorch", 1e-8, dtype=np.float32)
        made[name] = [(kernel.astype(np.float32), bias.astype(np.float32)) for kernel, bias in weights]
    return kept(tmp_path_factory.mktemp("trained"), work, made)


def said_by(directory: Path, images: np.ndarray) -> np.ndarray:
    """What the stored networks say, in NumPy and float64: probabilities [network, n, 10]."""
    found = {model.implementation: model for model in models.of_results(directory, archive.results(directory))}
    logits = [
        training.forward(found[name].workload, found[name].weights, found[name].workload.scale(images))[0]
        for name in PAIR
    ]
    return np.exp([training.log_softmax(one) for one in logits])


def said_in_page(browser: Browser, images: np.ndarray) -> np.ndarray:
    """The same, computed by the page."""
    browser.evaluate(
        "networks = JSON.parse(document.getElementById('board-networks').textContent).networks.map(fcnbench.decoded); 0"
    )
    asked = json.dumps(images.reshape(len(images), -1).tolist())
    return np.array(
        browser.evaluate(f"networks.map((one) => {asked}.map((bytes) => fcnbench.probabilities(one, bytes)))")
    )


def test_the_page_computes_what_the_stored_networks_say(browser: Browser, trained: Path, digits: Data) -> None:
    """Real test images, pixel by pixel: the same digits, probabilities within 1e-5, under the page's own policy."""
    browser.open(trained / "report.html")
    images = digits.x_test[:SHOWN]
    expected, found = said_by(trained, images), said_in_page(browser, images)
    np.testing.assert_array_equal(found.argmax(axis=2), expected.argmax(axis=2))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert browser.complaints == []


def test_convolutions_poolings_and_all_activations_are_computed(browser: Browser, tmp_path: Path) -> None:
    """A network with a layer of each kind, random weights, random images."""
    directory = kept(tmp_path, OWN, untrained(OWN))
    browser.open(directory / "report.html")
    images = np.random.default_rng(5).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    np.testing.assert_allclose(said_in_page(browser, images), said_by(directory, images), atol=1e-5)


def in_page(browser: Browser, grey: np.ndarray) -> np.ndarray | None:
    height, width = grey.shape
    asked = f"fcnbench.picture(Float64Array.from({json.dumps(grey.ravel().tolist())}), {height}, {width})"
    found = browser.evaluate(f"((bytes) => bytes && Array.from(bytes))({asked})")
    return None if found is None else np.array(found, np.uint8).reshape(28, 28)


def test_the_pages_rule_for_pictures_is_that_of_predict(browser: Browser, plain: Path) -> None:
    """Any size, shape and polarity, large and small, a single dot, ink up to the border."""
    browser.open(plain / "report.html")
    random = np.random.default_rng(3)
    dot, high, bar = np.zeros((9, 30)), np.zeros((150, 40)), np.zeros((28, 28))
    dot[2, 3], high[3:140, 17:21], bar[:, 5] = 1, 0.7, 1
    soft = np.outer(np.hanning(61), np.hanning(83)) ** 2
    noise = random.random((33, 47)) * (random.random((33, 47)) > 0.8)
    for grey in (dot, high, bar, soft, 1 - soft, noise, np.pad(random.random((5, 40)), 9), 0.3 + 0.2 * soft):
        found, expected = in_page(browser, grey), centring.centred(centring.ink(grey))
        assert np.abs(found.astype(int) - expected).max() <= 1  # a half may fall to either side
        assert (found != expected).mean() < 0.01
    assert in_page(browser, np.full((28, 28), 0.4)) is None


def test_the_rule_leaves_mnists_own_images_where_they_are(browser: Browser, plain: Path, digits: Data) -> None:
    """They were made by it: each comes out where it was, most of them within a grey level or two."""
    browser.open(plain / "report.html")
    images = digits.x_test[:40]
    found = np.array([in_page(browser, one / 255) for one in images])
    assert (np.abs(found.astype(int) - images).max(axis=(1, 2)) <= 3).mean() > 0.6
    np.testing.assert_allclose(centres(found), centres(images), atol=0.5)


def test_the_centres_of_mnists_images_lie_where_the_rule_puts_them(digits: Data) -> None:
    """All ten thousand of them: at 14 or beyond and before 15, counted from the edge in pixels, both ways."""
    found = centres(digits.x_test)
    assert found.min() >= 14 and found.max() < 15


def centres(images: np.ndarray) -> np.ndarray:
    """Row and column of the centre of mass, the first pixel's middle at 0.5: [n, 2]."""
    masses, middles = images.astype(np.float64), np.arange(28) + 0.5
    total = masses.sum(axis=(1, 2))
    return np.stack([masses.sum(axis=2) @ middles / total, masses.sum(axis=1) @ middles / total], axis=1)


DRAW = """((drawings) => {
  const pad = document.getElementById("board-pad"), box = pad.getBoundingClientRect();
  const send = (kind, [x, y]) => pad.dispatchEvent(new PointerEvent(kind, {
    pointerId: 7, pointerType: "pen", isPrimary: true, bubbles: true, button: kind === "pointermove" ? -1 : 0,
    clientX: box.left + x * box.width / 280, clientY: box.top + y * box.height / 280,
  }));
  return drawings.map((strokes) => {
    document.getElementById("board-clear").click();
    for (const stroke of strokes) {
      send("pointerdown", stroke[0]);
      stroke.slice(1).forEach((point) => send("pointermove", point));
      send("pointerup", stroke[stroke.length - 1]);
    }
    const rows = [...document.getElementById("board-bars").tBodies[0].rows];
    return [1, 2].map((column) => rows.findIndex((row) => row.cells[column].classList.contains("said")));
  });
})"""


@pytest.mark.parametrize(("pen", "lost"), [(None, 0.03), (board.PEN, 0.015)], ids=["middle line", "gone over"])
def test_strokes_made_of_test_images_are_recognised_as_often_as_the_images(
    browser: Browser, trained: Path, digits: Data, pen: float | None, lost: float
) -> None:
    """Each image is drawn again with the board's own pen: by its middle line alone, and gone over where it is wider."""
    browser.open(trained / "report.html")
    images, labels = digits.x_test[:SHOWN], digits.y_test[:SHOWN]
    found = np.array(browser.evaluate(f"{DRAW}({json.dumps(strokes.of_images(images, SIDE, pen))})")).T
    by_pixels = (said_by(trained, images).argmax(axis=2) == labels).mean(axis=1)
    by_strokes = (found == labels).mean(axis=1)
    assert (by_pixels > 0.9).all()
    assert (by_strokes >= by_pixels - lost).all(), f"{by_strokes} of strokes, {by_pixels} of images"


@pytest.fixture
def pad(browser: Browser, trained: Path) -> Callable[[float, float], tuple[float, float]]:
    """The board in sight; places of it, 0 to 280, as places in the window."""
    browser.open(trained / "report.html")
    return placed(browser)


def placed(browser: Browser) -> Callable[[float, float], tuple[float, float]]:
    browser.evaluate("document.documentElement.style.scrollBehavior = 'auto'; board_pad.scrollIntoView({block: 'center'})"
                     .replace("board_pad", "document.getElementById('board-pad')"))  # fmt: skip
    left, top, width = browser.evaluate(
        "(({left, top, width}) => [left, top, width])(document.getElementById('board-pad').getBoundingClientRect())"
    )
    return lambda x, y: (left + x * width / SIDE, top + y * width / SIDE)


def drag(browser: Browser, *points: tuple[float, float]) -> None:
    browser.mouse("mousePressed", *points[0])
    for point in points[1:]:
        browser.mouse("mouseMoved", *point)
    browser.mouse("mouseReleased", *points[-1])


def answer(browser: Browser) -> str:
    return browser.evaluate("document.getElementById('board-answer').textContent")


def ink(browser: Browser) -> float:
    """The share of the board that is covered, as it is seen."""
    return browser.evaluate("""new Promise((told) => requestAnimationFrame(() => requestAnimationFrame(() => {
      const pad = document.getElementById("board-pad"), all = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height);
      told(all.data.filter((level, i) => i % 4 === 3 && level > 127).length / (pad.width * pad.height));
    })))""")


FOUR = ((85, 45), (80, 95), (72, 145), (130, 148), (205, 146)), ((165, 60), (163, 150), (160, 240))


def test_a_four_in_two_strokes_is_a_four(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """With a real mouse; the answer follows each stroke and Predict repeats it."""
    for stroke in FOUR:
        drag(browser, *(pad(*point) for point in stroke))
    assert answer(browser).startswith("Both say 4:")
    drag(browser, browser_button(browser, "predict"))
    assert answer(browser).startswith("Both say 4:") and browser.complaints == []


def browser_button(browser: Browser, name: str) -> tuple[float, float]:
    x, y = browser.evaluate(f"""(() => {{ const box = document.getElementById("board-{name}").getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2]; }})()""")
    return x, y


def test_fingers_draw_and_do_not_scroll(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """One finger draws; a second one draws nothing."""
    before = browser.evaluate("scrollY")
    browser.touch("touchStart", [pad(140, 40)])
    for y in range(60, 240, 20):
        browser.touch("touchMove", [pad(140, y)])
    covered = ink(browser)
    browser.touch("touchMove", [pad(140, 240), pad(30, 30)])
    browser.touch("touchEnd", [])
    assert answer(browser).startswith("Both say 1:") and browser.evaluate("scrollY") == before
    assert covered > 0.03 and ink(browser) < 2 * covered


def test_an_empty_board_asks_for_something(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """Predict and Clear are reached and used with the keyboard alone."""
    browser.evaluate("document.getElementById('board-predict').focus()")
    browser.key("Enter", 13, "\r")
    assert answer(browser).startswith("Draw something first")
    drag(browser, pad(140, 40), pad(140, 240))
    assert answer(browser).startswith("Both say 1:")
    browser.evaluate("document.getElementById('board-predict').focus()")
    browser.key("Tab", 9)
    browser.key("Enter", 13, "\r")
    assert answer(browser).startswith("Draw a digit") and ink(browser) == 0


def test_a_dot_is_answered(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """A click without a move leaves a dot as wide as the pen, and ten probabilities that add up to 1."""
    drag(browser, pad(50, 60))
    shares = browser.evaluate("""[1, 2].map((column) => [...document.getElementById("board-bars").tBodies[0].rows]
      .map((row) => Number(row.cells[column].firstElementChild.style.getPropertyValue("--share"))))""")
    np.testing.assert_allclose(np.sum(shares, axis=1), 1, atol=1e-6)
    assert ink(browser) == pytest.approx(np.pi * (board.PEN / 2) ** 2 / SIDE**2, rel=0.1)


def test_a_stroke_may_leave_the_board_and_come_back(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """It goes on at the edge, ends where the button is let go outside, and the mouse draws nothing afterwards."""
    drag(browser, pad(140, 60), pad(340, 60), pad(340, 200), pad(140, 200), pad(-60, 200))
    covered = ink(browser)
    assert covered == pytest.approx(2 * board.PEN * 210 / SIDE**2, rel=0.25)
    browser.mouse("mouseMoved", *pad(140, 140))
    assert ink(browser) == covered and "say" in answer(browser)


def test_clear_during_a_stroke_ends_it(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """What is left of the stroke is not drawn; the next one is."""
    browser.mouse("mousePressed", *pad(60, 60))
    browser.mouse("mouseMoved", *pad(120, 60))
    browser.evaluate("document.getElementById('board-clear').click()")
    browser.mouse("mouseMoved", *pad(200, 60))
    browser.mouse("mouseReleased", *pad(200, 60))
    assert ink(browser) == 0 and answer(browser).startswith("Draw a digit")
    drag(browser, pad(140, 40), pad(140, 240))
    assert answer(browser).startswith("Both say 1:")


def test_resizing_keeps_the_drawing(browser: Browser, pad: Callable[..., tuple[float, float]]) -> None:
    """A small window on a fine screen: as much ink, more pixels, nothing wider than the window, the same digit."""
    for stroke in FOUR:
        drag(browser, *(pad(*point) for point in stroke))
    before, said = ink(browser), answer(browser)
    browser.resize((320, 640), scale=3)
    assert ink(browser) == pytest.approx(before, rel=0.05)
    assert browser.evaluate("document.getElementById('board-pad').width") > 2 * SIDE
    assert browser.evaluate("document.documentElement.scrollWidth") <= 320
    again = placed(browser)
    drag(browser, again(160, 238), again(160, 240))
    assert answer(browser)[:12] == said[:12]


def test_without_scripts_a_sentence_says_why_nothing_can_be_drawn(browser: Browser, plain: Path) -> None:
    """And the board is not there."""
    browser("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(plain / "report.html")
    finally:
        browser("Emulation.setScriptExecutionDisabled", value=False)
    shown = "((one) => one.getClientRects().length > 0)(document.getElementById('board-{}'))"
    assert browser.evaluate(shown.format("off")) and not browser.evaluate(shown.format("on"))


def test_the_board_is_not_printed(browser: Browser, plain: Path) -> None:
    """Paper takes no ink from a mouse."""
    browser.open(plain / "report.html")
    browser("Emulation.setEmulatedMedia", media="print")
    display = browser.evaluate("getComputedStyle(document.getElementById('draw')).display")
    browser("Emulation.setEmulatedMedia", media="")
    assert display == "none"
