"""What several test files share: small data that can be learned, plugins as a user writes them, patience."""

import own_cpus  # noqa: F401

# isort: split
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import psutil
import pytest
from browser import Browser, chromium
from synthetic import MACHINE

from bench.data import download, mnist
from bench.session.session import Session
from impls.workload import SGD, Dense, Workload

N_TRAIN, N_TEST = 200, 100
TINY = Workload("tiny", 0, (Dense(10),), 0.0, 1.0, 20, 50, 2, SGD(0.05))
TINY_TOML = """
[tiny]
layers = [{ units = 10 }]
batch_size = 20
test_batch_size = 50
epochs = 2
optimiser = { kind = "sgd", learning_rate = 0.05 }
"""
PLUGIN = '''
"""Softmax regression in NumPy, as a user would write it."""

import numpy as np

from impls.contract import Unavailable


class Regression:
    def __init__(self, workload, device, seed):
        self.workload = workload
        self.kernel, self.bias = np.zeros((784, 10), np.float32), np.zeros(10, np.float32)

    def load(self, data):
        self.x, self.y = self.workload.scale(data.x_train), data.y_train
        self.x_test = self.workload.scale(data.x_test)

    def set_weights(self, weights):
        ((kernel, bias),) = weights
        self.kernel, self.bias = kernel.copy(), bias.copy()

    def get_weights(self):
        return [(self.kernel.copy(), self.bias.copy())]

    def train_epoch(self, order):
        total, size = 0.0, self.workload.batch_size
        for batch in (order[start : start + size] for start in range(0, len(order), size)):
            x, labels = self.x[batch], (np.arange(len(batch)), self.y[batch])
            error = np.exp(x @ self.kernel + self.bias)
            error /= error.sum(axis=1, keepdims=True)
            total -= np.log(error[labels]).sum()
            error[labels] -= 1
            self.kernel -= self.workload.optimiser.learning_rate * x.T @ error / len(batch)
            self.bias -= self.workload.optimiser.learning_rate * error.mean(axis=0)
        return total / len(order)

    def predict(self):
        return self.x_test @ self.kernel + self.bias

    def sync(self):
        pass

    def device_memory(self):
        return None


'''
PLAIN = """
class Implementation(Regression):
    pass
"""


STARTS = {"subprocess.Popen", "os.fork", "os.posix_spawn"}
"""What Python's audit events call the start of a process."""
FRAMEWORKS = {"torch", "tensorflow", "keras", "jax"}
QUICK: list[pytest.Item] = []
"""The test that is running, if it is not marked ``process``."""


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Fail a test that starts a process or imports a framework, and does not say so by its mark."""
    if QUICK and (event in STARTS or (event == "import" and arguments[0] in FRAMEWORKS)):
        pytest.fail(f"{QUICK[0].nodeid} has {event} {arguments[:1]}: mark it with @pytest.mark.process")


sys.addaudithook(refuse)


LONG = ("test_real_run.py", "test_implementations.py")
"""The files that take longest; they come first, so that no worker is left with one when the others have finished."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Whoever asks for a browser starts one."""
    items.sort(key=lambda item: item.path.name not in LONG)
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("process")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Know which test is running, its fixtures included."""
    QUICK[:] = [] if item.get_closest_marker("process") else [item]
    try:
        return (yield)
    finally:
        QUICK.clear()


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An IDX set of a few hundred images: each digit is a pattern of its own with some noise on it."""
    random = np.random.default_rng(7)
    patterns = random.integers(0, 200, (10, 28, 28))
    sets = []
    for n in (N_TRAIN, N_TEST):
        labels = random.integers(0, 10, n)
        sets += [(patterns[labels] + random.integers(0, 50, (n, 28, 28))).astype(np.uint8), labels.astype(np.uint8)]
    root = tmp_path_factory.mktemp("tiny-data")
    mnist.write(root, *sets)
    return root


@pytest.fixture(scope="session")
def some_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few thousand images of MNIST."""
    data = mnist.load(download.find())
    root = tmp_path_factory.mktemp("some-digits")
    mnist.write(root, data.x_train[:6000], data.y_train[:6000], data.x_test[:1000], data.y_test[:1000])
    return root


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., Path]:
    """``plugin(name, body)`` writes a plugin file; ``body`` has the class ``Regression`` and NumPy at hand."""

    def write(name: str = "plain", body: str = PLAIN, prelude: str = PLUGIN) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(prelude + dedent(body), encoding="utf-8")
        return path

    return write


@pytest.fixture
def workload_file(tmp_path: Path) -> Path:
    """A user's file with the workload ``tiny``, for which the plugins are written."""
    path = tmp_path / "networks.toml"
    path.write_text(TINY_TOML, encoding="utf-8")
    return path


@pytest.fixture
def session(tmp_path: Path, tiny_data: Path) -> Session:
    """A session whose directory is ready, and that has measured nothing."""
    (tmp_path / "logs").mkdir()
    return Session(tmp_path, {}, tiny_data, MACHINE, 60.0)


@pytest.fixture
def tiny() -> Workload:
    """The workload for which the plugins are written: one layer, so that a plugin stays short."""
    return TINY


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of a file; each opens the pages that it needs."""
    started = Browser(chromium(), tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture
def ends() -> Callable[[int], bool]:
    """``ends(pid)``: whether that process comes to its end; waits until it does, or gives up."""
    return ended


@pytest.fixture
def appears() -> Callable[[Path], str]:
    """``appears(path)``: the text of a file that another process is about to write."""
    return text_of


def ended(pid: int, within_s: float = 30.0) -> bool:
    """A zombie has ended too: it only waits for whoever started it to notice."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def text_of(path: Path, within_s: float = 60.0) -> str:
    """What the file holds once it is there and not empty."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")
