"""Trained networks and images: the same answer in every framework, from every format, through the command."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import drawn
import numpy as np
import pytest
import synthetic
from children import needs

from bench.cli import main
from bench.data import tutorials
from bench.errors import FcnBenchError
from bench.models import answers as models_answers
from bench.models import find, predict
from bench.models.find import NamedModel
from bench.models.predict import Prediction
from bench.store import archive as store_archive
from bench.store import models
from bench.worker import interpreters
from bench.worker.messages import Logits
from impls import environment as impls_environment
from impls import portable, registry
from impls.frameworks import FRAMEWORKS
from impls.oracle import training
from impls.oracle.training import initial_weights
from impls.workload import Conv, Dense, Dropout, Pool, Workload

MLP = replace(synthetic.WORKLOAD, name="mlp", layers=(Dense(40, "relu"), Dropout(0.5), Dense(20, "tanh"), Dense(10)))
CNN = replace(
    synthetic.WORKLOAD,
    name="cnn",
    layers=(Conv(4, 5, 2, "relu"), Pool(2), Conv(6, 3, 1, "sigmoid"), Pool(3), Dense(16, "relu"), Dense(10)),
)
ROWS = list(registry.predictors().values())
IMAGES = np.random.default_rng(3).integers(0, 256, (60, 28, 28)).astype(np.uint8)


def saved(path: Path, workload: Workload = MLP, seed: int = 1, implementation: str = "matched-pytorch") -> Path:
    """A network with drawn weights, biases too, as a portable file."""
    random = np.random.default_rng(seed)
    weights = [(k, random.normal(0, 0.1, b.shape).astype(np.float32)) for k, b in initial_weights(workload, random)]
    framework = implementation.split("-")[1]
    portable.save(path, workload, weights, {"implementation": implementation, "framework": framework, "versions": {}})
    return path


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both networks as portable files."""
    folder = tmp_path_factory.mktemp("networks")
    return {workload.name: saved(folder / f"{workload.name}.npz", workload) for workload in (MLP, CNN)}


NATIVE = """
import importlib, json, sys
from pathlib import Path
from impls import portable
from impls.frameworks import FRAMEWORKS
from impls.workload import Workload
module = importlib.import_module("impls.models." + sys.argv[1])
for path in map(Path, sys.argv[2:]):
    about, weights = portable.load(path)
    module.save(path.with_suffix(FRAMEWORKS[sys.argv[1]].native), Workload.from_dict(about["workload"]), weights)
"""


def native(name: str, networks: dict[str, Path]) -> dict[str, Path]:
    """The same networks in a framework's own format, written by it in a process of its own."""
    needs(*{"pytorch": ("torch",), "keras": ("keras", "tensorflow")}[name])
    paths = {network: path.with_suffix(FRAMEWORKS[name].native) for network, path in networks.items()}
    if not all(path.exists() for path in paths.values()):
        row = registry.predictors()[name]
        variables = {**os.environ, **impls_environment.environment(row, "cpu", 1)}
        command = [sys.executable, "-c", NATIVE, name, *map(str, networks.values())]
        done = subprocess.run(command, env=variables, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
    return paths


def unpacked(paths: list[Path], folder: Path) -> list[NamedModel]:
    found, refused = find.chosen(paths, None, ROWS, folder)
    assert refused == []
    return found


def rewritten(path: Path, out: Path, compression: int = zipfile.ZIP_STORED, **changed: bytes | None) -> Path:
    """An archive with members replaced, by the last part of their name (a dot as __), or left out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", compression) as new:
        for name in old.namelist():
            key = name.rpartition("/")[2].replace(".", "__")
            content = changed.get(key, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out


@pytest.fixture(scope="module")
def answers(networks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Prediction]:
    """What both networks say of the images in every framework that is installed here."""
    folder = tmp_path_factory.mktemp("asked")
    found = unpacked(list(networks.values()), folder)
    return {
        (said.network.label, said.by): said
        for said in predict.ask(found, ["pytorch", "keras", "jax", "numpy"], ROWS, IMAGES, "cpu", 300.0, folder)
    }


@pytest.mark.process
@pytest.mark.parametrize("network", ["mlp", "cnn"])
@pytest.mark.parametrize("name", ["pytorch", "keras", "jax", "numpy"])
def test_every_framework_predicts_the_same(name: str, network: str, answers: dict[tuple[str, str], Prediction]) -> None:
    """The same digit for every image, and logits within eight times what float32 does to the oracle itself.

    That is the limit of the equivalence gate. The oracle's own largest two logits are farther apart than that.
    """
    needs(*{"pytorch": ("torch",), "keras": ("keras", "tensorflow"), "jax": ("jax",), "numpy": ()}[name])
    said = answers[f"{network}.npz", name]
    assert (said.status, said.reason) == ("ok", "")
    model = said.network.model
    x = model.workload.scale(IMAGES)
    exact, _ = training.forward(model.workload, model.weights, x)
    rounded, _ = training.forward(model.workload, model.weights, x, np.float32)
    limit = 8 * np.abs(rounded - exact).max()
    first, second = np.sort(exact, axis=1)[:, :-3:-1].T
    assert said.logits is not None and 0 < limit < (first - second).min() / 2
    assert np.abs(said.logits - exact).max() <= limit
    np.testing.assert_array_equal(said.logits.argmax(axis=1), exact.argmax(axis=1))


@pytest.fixture(scope="module")
def shelved(
    networks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, NamedModel], dict[str, str]]:
    """By file name: what came of good and of evil files in the frameworks' own formats, read all at once."""
    folder, paths = tmp_path_factory.mktemp("shelved"), []
    if importlib.util.find_spec("torch"):
        own = native("pytorch", networks)
        line = f"touch {folder / 'ran'}".encode()
        evil = b"\x80\x02cposix\nsystem\nX" + len(line).to_bytes(4, "little") + line + b"\x85R."
        paths += [*own.values(), rewritten(own["mlp"], folder / "evil.pt", data__pkl=evil)]
    if importlib.util.find_spec("keras") and importlib.util.find_spec("tensorflow"):
        own = native("keras", networks)
        with zipfile.ZipFile(own["mlp"]) as archive:
            described = json.loads(archive.read("workload.json"))
        described["layers"][0]["units"] = 10**7
        huge, named = json.dumps(described).encode(), b'{"class_name": "Lambda"}'
        paths += [*own.values(), rewritten(own["mlp"], folder / "lambda.keras", config__json=named)]
        paths += [rewritten(own["mlp"], folder / "huge.keras", workload__json=huge)]
        paths += [rewritten(own["mlp"], folder / "foreign.keras", workload__json=None)]
    found, refused = find.chosen(paths, None, ROWS, folder)
    assert not (folder / "ran").exists()
    return {kept.label: kept for kept in found}, {Path(line.split(": ")[0]).name: line for line in refused}


@pytest.mark.process
@pytest.mark.parametrize("network", ["mlp", "cnn"])
@pytest.mark.parametrize("name", ["pytorch", "keras"])
def test_a_frameworks_own_file_holds_the_same_network(
    name: str, network: str, networks: dict[str, Path], shelved: tuple[dict[str, NamedModel], dict[str, str]]
) -> None:
    """Weights bit for bit and the description, for dense and convolutional networks."""
    kept, model = shelved[0][native(name, networks)[network].name], models.load(networks[network])
    assert kept.model.workload == model.workload and kept.model.framework == name
    for pair, other in zip(model.weights, kept.model.weights, strict=True):
        for array, back in zip(pair, other, strict=True):
            np.testing.assert_array_equal(array, back, strict=True)


@pytest.mark.process
def test_a_pickle_that_runs_code_is_not_run(shelved: tuple[dict[str, NamedModel], dict[str, str]]) -> None:
    """PyTorch unpickles weights alone, and the line says that it refused."""
    needs("torch")
    assert "Unpickling" in shelved[1]["evil.pt"] and len(shelved[1]["evil.pt"].splitlines()) == 1


@pytest.mark.process
def test_keras_own_description_is_not_believed(
    networks: dict[str, Path], shelved: tuple[dict[str, NamedModel], dict[str, str]]
) -> None:
    """Whatever layers it names, such as a Lambda with code, are not built: the network is ours, the weights alone its.

    A description of ours that names a larger network than the file holds is refused before it is built, and so is a
    file of Keras that has none.
    """
    needs("keras", "tensorflow")
    kept = shelved[0]["lambda.keras"]
    np.testing.assert_array_equal(kept.model.weights[0][0], models.load(networks["mlp"]).weights[0][0])
    assert "more than it holds" in shelved[1]["huge.keras"]
    assert "workload.json" in shelved[1]["foreign.keras"]


def test_a_frameworks_own_files_are_known_by_their_ends() -> None:
    """In capitals too. JAX and NumPy have no format of their own, and a portable file is nobody's."""
    assert [registry.native_reader(suffix) for suffix in (".pt", ".keras", ".KERAS")] == ["pytorch", "keras", "keras"]
    assert {registry.native_reader(suffix) for suffix in ("", ".npz", ".jaxexport", ".pt2")} == {None}


def refusal(path: Path, folder: Path) -> str:
    found, (line,) = find.chosen([path], None, ROWS, folder)
    assert found == [] and str(path) in line and len(line.splitlines()) == 1 and "Traceback" not in line
    return line


@pytest.mark.parametrize("ending", [".pt", ".keras", ".npz", ".h5"])
def test_files_that_are_none_are_refused_before_a_framework_starts(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, empty, text, a bare pickle, a compressed archive."""
    monkeypatch.setattr("bench.worker.process.ask", lambda *_: pytest.fail("a framework was started"))
    path = tmp_path / f"bad{ending}"
    assert "No such file" in refusal(path, tmp_path)
    for content in (b"", b"weights\n", b"\x80\x04cposix\nsystem\n(Vtouch ran\ntR."):
        path.write_bytes(content)
        assert "not a model" in refusal(path, tmp_path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", b"\0" * 10**6)
    assert "compressed" in refusal(path, tmp_path)


def kept(path: Path) -> NamedModel:
    return NamedModel(path.name, models.load(path), path)


def test_a_network_is_predicted_by_what_trained_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its framework on its backend; for what is not known here, the first that is installed."""

    def by(implementation: str) -> str:
        return predict.default_predictor(
            kept(saved(tmp_path / f"{implementation}.npz", implementation=implementation)), ROWS
        )

    installed = {"torch", "keras", "jax", "numpy"}
    monkeypatch.setattr(
        interpreters,
        "versions",
        lambda row: {name: "1" if name in installed else "not installed" for name in row.packages},
    )
    assert by("documented-pytorch") == by("matched-pytorch") == "pytorch"
    assert by("documented-keras") == by("matched-keras") == "keras"
    assert by("matched-keras-jax") == "keras-jax"
    assert by("matched-jax") == by("tuned-jax") == "jax"
    assert by("reference-numpy") == "numpy"
    assert by("plugin-mine") == "pytorch"
    installed.remove("torch")
    assert by("plugin-mine") == "keras-jax"
    assert by("matched-pytorch") == "pytorch"  # and is told that it is missing


def results_with(directory: Path, *names: str, workload: Workload = MLP) -> None:
    """A result directory with a network for each implementation."""
    with store_archive.opened(directory):
        for number, name in enumerate(names):
            result = synthetic.result(name, workload=workload, accuracy=0.9 + number / 100)
            path = saved(store_archive.unfinished_model(directory, result.cell), workload, number + 1, name)
            store_archive.save(directory, replace(result, model=hashlib.sha256(path.read_bytes()).hexdigest()))


def test_a_directory_gives_the_networks_of_one_workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The headline's, the named one's, or the only one's; by tier and framework, with their accuracies."""
    results_with(tmp_path / "one", "matched-keras", "matched-pytorch", "documented-keras")
    found, refused = find.chosen([tmp_path / "one"], None, ROWS, tmp_path)
    assert refused == [] and [one.label for one in found] == ["documented-keras", "matched-pytorch", "matched-keras"]
    assert [one.model.accuracy for one in found] == [0.92, 0.91, 0.9]

    results_with(tmp_path / "one", "matched-pytorch", workload=CNN)
    assert "say which with --workload" in find.chosen([tmp_path / "one"], None, ROWS, tmp_path)[1][0]
    monkeypatch.setattr(tutorials, "headline", lambda: "mlp")
    assert len(find.chosen([tmp_path / "one"], None, ROWS, tmp_path)[0]) == 3
    assert len(find.chosen([tmp_path / "one"], "cnn", ROWS, tmp_path)[0]) == 1
    assert "did you mean 'cnn'" in find.chosen([tmp_path / "one"], "cnm", ROWS, tmp_path)[1][0]

    damaged = next((tmp_path / "one" / "models").glob("mlp.matched-keras.*"))
    damaged.write_bytes(b"")
    found, (line,) = find.chosen([tmp_path / "one"], None, ROWS, tmp_path)
    assert len(found) == 2 and str(damaged) in line


def test_without_a_name_the_last_run_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``results/quick`` if it has networks, else the reference run; if neither has, what to do is said."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FcnBenchError, match="'fcnbench run' trains and keeps some, or give --model"):
        find.default()
    results_with(tmp_path / "results" / "reference", "matched-keras")
    assert find.default() == Path("results", "reference")
    results_with(tmp_path / "results" / "quick", "matched-keras")
    assert find.default() == Path("results", "quick")
    synthetic.save(tmp_path / "none", [synthetic.result()])
    assert "holds no trained networks" in find.chosen([Path("none")], None, ROWS, tmp_path)[1][0]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """By their folders, which a name of its own does not need."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        saved(tmp_path / folder / "net.npz")
    found = unpacked([tmp_path / "a" / "net.npz", tmp_path / "b" / "net.npz", saved(tmp_path / "own.npz")], tmp_path)
    assert [one.label for one in found] == [str(tmp_path / "a" / "net.npz"), str(tmp_path / "b" / "net.npz"), "own.npz"]


@pytest.mark.process
def test_a_network_that_diverged_says_nothing(tmp_path: Path) -> None:
    """Weights that are no numbers give no digit; the others in the same process are not touched."""
    model = models.load(saved(tmp_path / "good.npz"))
    lost = [(np.full_like(kernel, np.nan), bias) for kernel, bias in model.weights]
    portable.save(
        tmp_path / "lost.npz", MLP, lost, {"implementation": "matched-keras", "framework": "keras", "versions": {}}
    )
    both = [kept(tmp_path / "lost.npz"), kept(tmp_path / "good.npz")]
    first, second = predict.ask(both, ["numpy"], ROWS, IMAGES[:2], "cpu", 60.0, tmp_path)
    assert (first.status, first.logits) == ("failed", None) and "diverge" in first.reason
    assert second.status == "ok"


@pytest.mark.parametrize("values", [(), ((0.0,) * 10,), ((0.0,) * 10, (0.0,) * 9), ((0.0,) * 11,) * 2])
def test_logits_of_another_shape_are_no_prediction(values: tuple[tuple[float, ...], ...], tmp_path: Path) -> None:
    """Whatever a worker says, a prediction has ten logits for each image."""
    answer = predict.prediction(kept(saved(tmp_path / "good.npz")), "numpy", Logits("ok", "", values), 2)
    assert (answer.status, answer.logits) == ("failed", None) and "[2, 10]" in answer.reason


@pytest.mark.process
def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The framework's row says so; nothing is predicted elsewhere instead."""
    (said,) = predict.ask([kept(saved(tmp_path / "good.npz"))], ["numpy"], ROWS, IMAGES[:1], "cuda", 60.0, tmp_path)
    assert (said.status, said.reason) == ("skipped", "NumPy sees no CUDA device")


def says(digit: int, label: str, tmp_path: Path) -> Prediction:
    one = NamedModel(label, models.load(saved(tmp_path / "any.npz")), tmp_path / "any.npz")
    return Prediction(one, "numpy", "ok", "", np.eye(10)[[digit]] * 5)


def test_agreement_and_disagreement_are_noticed(tmp_path: Path) -> None:
    """The title says the digit, or who says which; who cannot say anything takes no part."""
    silent = replace(says(1, "d", tmp_path), status="skipped", reason="x", logits=None)
    same = [says(7, label, tmp_path) for label in "abc"]
    assert models_answers.verdict([*same, silent], 0) == "7, as all 3 say"
    assert models_answers.verdict(same[:1], 0) == "7"
    assert models_answers.verdict([silent], 0) == "no prediction"
    other = models_answers.verdict([says(1, "d", tmp_path), *same, silent], 0)
    assert other == "they disagree: 7 (3 of them), 1 (d)"


def test_probabilities_are_a_softmax(tmp_path: Path) -> None:
    """They add up to one and are not rounded to certainty."""
    found = says(3, "a", tmp_path).probabilities(0)
    assert found is not None and found.sum() == pytest.approx(1) and found[3] == pytest.approx(np.e**5 / (np.e**5 + 9))
    assert [models_answers.percent(p) for p in (0.99999, 0.5, 0.00001)] == ["> 99.99 %", "50.00 %", "< 0.01 %"]


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """``command("seven.png")``: status, output and errors of ``fcnbench predict`` with NumPy, in this process."""
    monkeypatch.setenv("FCNBENCH_DEBUG", "1")
    monkeypatch.chdir(tmp_path)
    drawn.digit(7).save("seven.png")
    saved(tmp_path / "good.npz")

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main.main(["predict", *map(str, arguments)])
        assert isinstance(left.value.code, int)
        return left.value.code, *capsys.readouterr()

    return run


NUMPY = ("--model", "good.npz", "--with", "numpy")


@pytest.mark.process
def test_bad_files_do_not_keep_good_ones_from_being_predicted(command: Command) -> None:
    """One line each on standard error, a table for each good one, and the status of unusable input."""
    Path("text.png").write_text("seven")
    status, out, err = command("none.png", "seven.png", "text.png", *NUMPY)
    assert status == 2
    assert [line.split(":")[0:2] for line in err.splitlines()] == [
        ["fcnbench", " image none.png"],
        ["fcnbench", " image text.png"],
    ]
    assert "seven.png: " in out and "good.npz" in out and "NumPy" in out
    status, out, err = command("none.png", *NUMPY)
    assert (status, out, len(err.splitlines())) == (2, "", 1)


@pytest.mark.process
def test_bad_networks_do_not_keep_good_ones_from_predicting(command: Command) -> None:
    """As with images."""
    Path("bad.npz").write_text("weights")
    status, out, err = command("seven.png", "--model", "bad.npz", *NUMPY)
    assert status == 2 and "good.npz" in out and len(err.splitlines()) == 1 and "model bad.npz" in err


@pytest.mark.process
def test_all_ten_the_picture_and_json(command: Command) -> None:
    """More on demand: every probability, what the network sees, and everything for programs."""
    status, out, err = command("seven.png", *NUMPY, "--all", "--show")
    assert (status, err) == (0, "")
    head = next(line for line in out.splitlines() if line.startswith("network of"))
    assert head.split()[2:] == ["digit", *map(str, range(10))]
    assert any("@@@@" in line for line in out.splitlines())
    status, out, err = command("seven.png", *NUMPY, "--json")
    (image,) = json.loads(out)["images"]
    assert (status, err, image["file"], np.shape(image["pixels"])) == (0, "", "seven.png", (28, 28))
    (said,) = image["predictions"]
    assert sum(said["probabilities"]) == pytest.approx(1)
    assert said["digit"] == int(np.argmax(said["logits"]))


@pytest.mark.process
def test_what_is_not_installed_is_told_and_the_rest_shown(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row without a prediction and a line that says why; where nothing at all is left, that is a failure."""
    rows = registry.predictors()
    rows["pytorch"] = replace(rows["pytorch"], module="impls.models.absent", packages=("impls.models.absent",))
    monkeypatch.setattr(registry, "predictors", lambda: rows)
    status, out, err = command("seven.png", *NUMPY, "--with", "pytorch")
    assert (status, err) == (0, "")
    assert "good.npz by PyTorch: skipped: impls.models.absent is not installed" in out
    assert command("seven.png", "--model", "good.npz", "--with", "pytorch")[0] == 1


@pytest.mark.process
def test_names_are_shown_as_any_terminal_can_show_them(command: Command) -> None:
    """Escape sequences and bytes that are no letters are written out, in the table and in the line of an error."""
    Path("seven.png").rename("odd \x1b[2J\udcff.png")
    status, out, err = command("odd \x1b[2J\udcff.png", "none\x1b[2J.png", *NUMPY)
    assert status == 2 and "\x1b" not in out + err and r"odd \x1b[2J\udcff.png" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["seven.png", "--with", "tensor"], ["unknown framework 'tensor'", "choose from"]),
        (["seven.png", "--device", "gpu"], ["unknown device 'gpu'"]),
        (["seven.png"], ["no trained networks", "fcnbench run"]),
        (["seven.png", "--model", "none.npz"], ["model none.npz", "No such file"]),
        (["seven.png", "--model", "empty"], ["empty", "no results here"]),
        (["seven.png", "--resize", "square"], ["--resize", "'square'"]),
        ([], ["FILE"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_arguments_that_cannot_be_used_are_one_line(command: Command, arguments: list[str], words: list[str]) -> None:
    """Before anything is started."""
    Path("empty").mkdir()
    status, out, err = command(*arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    for word in words:
        assert word in err


@pytest.mark.process
def test_the_real_command_shows_frameworks_side_by_side(networks: dict[str, Path], tmp_path: Path) -> None:
    """From its own file and from a portable one, each in a process of its own, with nothing of what they print among the answers."""
    needs("keras", "tensorflow")
    paths = [native("pytorch", networks)["mlp"], saved(tmp_path / "mlp.npz", implementation="matched-keras")]
    drawn.digit(4).save(tmp_path / "four.png")
    options = [part for path in paths for part in ("--model", str(path))]
    command = [sys.executable, "-m", "bench.cli.main", "predict", str(tmp_path / "four.png"), *options]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2])},
    )
    assert (done.returncode, done.stderr) == (0, "")
    title, _, _, *rows = done.stdout.strip().splitlines()
    assert title.startswith(f"{tmp_path / 'four.png'}: ") and title.endswith(", as all 2 say")
    assert [row.split("  ")[0] for row in rows] == ["mlp.pt", "mlp.npz"]
    assert rows[0].split()[-5:] == rows[1].split()[-5:]


@pytest.mark.process
def test_no_framework_is_imported_beside_the_command(tmp_path: Path) -> None:
    """The parent reads images and portable files with NumPy alone."""
    drawn.digit(4).save(tmp_path / "four.png")
    saved(tmp_path / "good.npz")
    code = """
import sys
from bench.cli import main
from bench.data import tutorials
try:
    main.main(sys.argv[1:])
except SystemExit as left:
    print("MODULES", left.code, *sys.modules)
"""
    options = ["predict", "four.png", "--model", "good.npz", "--with", "numpy"]
    environment = {**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, *options], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    status, *modules = done.stdout.rpartition("MODULES ")[2].split()
    assert status == "0" and {"torch", "keras", "tensorflow", "jax"}.isdisjoint(modules)
