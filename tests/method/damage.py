"""Throws damaged files at every reader and counts what comes of them.

    python tests/method/damage.py --number 20000 --seed 1

Each input is a good file in which something was changed: bytes, a value of its JSON or TOML, an array of its archive. It
is either read, with values that a measurement can have, or refused in one line. Anything else is a mistake, and so is a
file that appears outside the directory that was given; the exit status is then 1.
"""

import argparse
import json
import math
import random
import re
import shutil
import signal
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from bench.data import mnist, networks, tutorials
from bench.errors import FcnBenchError
from bench.report import benchmark_json, runs
from bench.report.chapters.claims import sources
from bench.report.chapters.conditions import settings
from bench.store import archive, formats, models, predictions
from bench.store.records.breakdown import Breakdown
from bench.store.records.export import StoredExport
from bench.store.records.machine import Machine, Size
from bench.store.records.probe import Probe
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 20
"""What one input may take."""
LONGEST_LINE = 1000
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**400, 1e300, -1e300, 1e-300,
    0.5, -0.5, 1.5, math.inf, -math.inf, math.nan, "", " ", "1", "x" * 300, "../../x", "/tmp/fcnbench-damage", "..", ".x",
    "a/b", "a\\b", "a\0b", "a\nb", "\x1b[2J", "\ud800", "é" * 100, "日本", "=1+1", "<script>", "ok", "failed", "floor", "sweep",
    "control", "nan", [], [1], [None], [[]], ["x"] * 3, [math.inf], {}, {"a": 1}, {"": None}, {"x": {"y": [1]}},
)  # fmt: skip
"""What may stand in the place of a good value."""
NETWORKS = """
[one]
layers = [{ units = 16, activation = "relu" }, { kind = "dropout", rate = 0.5 }, { units = 10 }]
batch_size = 20
epochs = 2
optimiser = { kind = "sgd", learning_rate = 0.05, momentum = 0.9 }

[two]
layers = [{ kind = "conv", filters = 4, size = 3, padding = 1 }, { kind = "pool", size = 2 }, { units = 10, inputs = 784 }]
mean = 0.1307
std = 0.3081
seed = 42
validation = 0.1
evaluate_every = 100
batch_size = 64
epochs = 5
optimiser = { kind = "adam", learning_rate = 1e-3 }
"""


@dataclass(frozen=True)
class Reader:
    """One kind of file: what a file of it is called, a good one, and what reads it."""

    name: str
    good: bytes
    read: Callable[[Path], Any]


def readers() -> list[Reader]:
    """All kinds of files that a user may give or that lie in a result directory."""
    found = [Reader(path.name, path.read_bytes(), read_cell) for path in a_cell_of_each_role()]
    for kind in (Verification, Machine, Probe, Breakdown, StoredExport):
        good = stored(f"{kind.folder}/*.json")
        found.append(Reader(f"{kind.folder}.json", good, lambda path, kind=kind: formats.read(path, lambda _: kind)))
    good = formats.encoded(Size(2, 3, 0.02, "a / b", 12.0, "2%")).encode()
    found.append(Reader("size.json", good, lambda path: formats.read(path, lambda _: Size)))
    text, _ = benchmark_json.export(ROOT / "results" / "reference")
    found.append(Reader("benchmark.json", text.encode(), import_benchmark))
    found.append(Reader("model.npz", stored("models/*.npz"), models.load))
    found.append(Reader("test-set.npz", stored("predictions/*.npz"), predictions.read_file))
    found += [Reader(path.name, path.read_bytes(), tutorials.read) for path in sorted(tutorials.FOLDER.glob("*.toml"))]
    found.append(Reader("networks.toml", NETWORKS.encode(), networks.load))
    for name, content in small_set().items():
        found.append(Reader(name, bytes(content), read_idx))
    found.append(Reader("sources/program.py", stored("sources/*.py"), lambda path: sources.read(path.parents[1])))
    return found


def stored(pattern: str) -> bytes:
    """A file of the committed results."""
    return min((ROOT / "results" / "tuned").glob(pattern)).read_bytes()


def a_cell_of_each_role() -> list[Path]:
    """Committed cells."""
    found = {}
    for path in sorted((ROOT / "results").glob("*/cells/*.json")):
        content = json.loads(path.read_bytes())
        found.setdefault((content["cell"]["role"], content["status"], bool(content.get("evaluations"))), path)
    return list(found.values())


def small_set() -> mnist.Files:
    """The files of a set of a few images."""
    rng = np.random.default_rng(1)
    images, labels = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8), np.arange(20, dtype=np.uint8) % 10
    return mnist.encode(images, labels, images[:10], labels[:10])


def read_cell(path: Path) -> Any:
    """A cell, and what a report makes of it."""
    result = formats.read(path, archive.kind_of_result)
    if isinstance(result, TrainingResult):
        runs.run_row(result)
        settings.properties(result)
    return result


def import_benchmark(path: Path) -> Any:
    """The cells of a file in a directory of their own. A refused file leaves no directory."""
    out = path.parent / "out"
    try:
        benchmark_json.save([path], out)
    except FcnBenchError:
        if out.exists():
            raise AssertionError("a refused file was written") from None
        raise
    return archive.everything(out)


def read_idx(path: Path) -> Any:
    """A set of which one file was damaged."""
    folder = path.parent / "set"
    mnist.write_files(small_set(), folder)
    path.replace(folder / mnist.RAW / path.name)
    return mnist.load(folder).y_train.tolist()


def damaged(good: bytes, name: str, rng: random.Random) -> bytes:
    """The content of a file with something changed in it."""
    kinds: list[Callable[[bytes, random.Random], bytes]] = [damaged_bytes]
    kinds += [damaged_json] * 4 if name.endswith(".json") else []
    kinds += [damaged_text] * 4 if name.endswith((".toml", ".py")) else []
    kinds += [damaged_archive] * 2 if name.endswith(".npz") else []
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        try:
            good = rng.choice(kinds)(good, rng)
        except (*formats.DAMAGE, OSError):
            good = damaged_bytes(good, rng)  # it is no such file any more
    return good


def damaged_bytes(good: bytes, rng: random.Random) -> bytes:
    """Cut, lengthened, doubled in part, or with other bytes."""
    start = rng.randrange(len(good) + 1)
    end = min(len(good), start + rng.choice((1, 4, 100)))
    match rng.randrange(8):
        case 0:
            return good[:start]
        case 1:
            return b""
        case 2:
            return good[:start] + rng.randbytes(end - start) + good[end:]
        case 3:
            return good[:start] + good[end:]
        case 4:
            return good[:end] + good[start:]
        case 5:
            return good + rng.randbytes(20)
        case 6:
            return good[:start] + bytes(end - start) + good[end:]
        case _:
            return rng.choice((b"[", b'{"a":', b"\xef\xbb\xbf", b"\0", b"PK\3\4")) * rng.choice((1, 100_000)) + good


def damaged_json(good: bytes, rng: random.Random) -> bytes:
    """With another value, a key more or a key less, somewhere."""
    content = json.loads(good)
    place = content
    for _ in range(rng.randrange(1, 12)):
        inner = [value for value in (place.values() if isinstance(place, dict) else place) if value and
                 isinstance(value, dict | list)]  # fmt: skip
        if not inner or rng.random() < 0.1:
            break
        place = rng.choice(inner)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key = rng.choice(keys) if keys else 0
    match rng.randrange(6):
        case 0 if keys:
            del place[key]
        case 1 if isinstance(place, dict):
            place[rng.choice(("x", "", "format", "a/b"))] = rng.choice(HOSTILE)
        case 1:
            place.append(rng.choice(HOSTILE))
        case 2 if keys:
            place[key] = [place[key]]
        case _ if keys:
            place[key] = rng.choice(HOSTILE)
    text = json.dumps(content)
    return text.replace("Infinity", rng.choice(("Infinity", "1e400"))).encode()


def damaged_text(good: bytes, rng: random.Random) -> bytes:
    """With something else in the place of a word or a number, or a line more or less."""
    text = good.decode()
    lines = text.splitlines()
    words = list(re.finditer(r"[\w.+-]+", text))
    other = rng.choice(("0", "-1", "9" * 5000, "0x" + "f" * 20_000, "1e400", "nan", "''", "[" * 3000, "{}", '"a\\nb"', "x" * 300,
                        "1979-05-27", "[[]]", "true", "\0", "../x", "'../x'", "9223372036854775808"))  # fmt: skip
    match rng.randrange(4):
        case 0:
            lines.insert(rng.randrange(len(lines) + 1), other)
        case 1 if lines:
            del lines[rng.randrange(len(lines))]
        case _ if words:
            word = rng.choice(words)
            return (text[: word.start()] + other + text[word.end() :]).encode()
    return "\n".join(lines).encode()


def damaged_archive(good: bytes, rng: random.Random) -> bytes:
    """With one of its arrays of another kind, of another shape, not whole, or missing."""
    with zipfile.ZipFile(BytesIO(good)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(members))
    content = BytesIO()
    match rng.randrange(5):
        case 0:
            del members[name]
        case 1:
            members[name] = damaged_bytes(members[name], rng)
        case 2:
            members[name] = members[name].replace(b"shape': (", b"shape': (9999999999, ", 1)
        case _:
            kinds = (
                np.zeros(0),
                np.zeros((3, 3)),
                np.array("x"),
                np.full(5, np.nan, np.float32),
                np.array([200], np.uint8),
            )
            np.save(content, rng.choice(kinds))
            members[name] = content.getvalue()
    out = BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return out.getvalue()


def outcome(reader: Reader, content: bytes, folder: Path) -> str:
    """What comes of an input: ``read``, ``refused``, or what went wrong."""
    path = folder / "in" / reader.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    signal.alarm(WITHIN_S)
    try:
        value = reader.read(path)
    except FcnBenchError as error:
        line = str(error)
        return "refused" if "\n" not in line and 0 < len(line) < LONGEST_LINE else f"no single line: {line[:200]!r}"
    except (Exception, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return next((f"impossible: {name} {leaf!r}" for name, leaf in leaves(value) if not possible(name, leaf)), "read")


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All numbers and texts of a value, each with the name of its field; not what programs declare of themselves."""
    if is_dataclass(value):
        for field in fields(value):
            if field.name not in ("switches", "commit", "environment"):
                yield from leaves(getattr(value, field.name), field.name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, str(key))
    else:
        yield name, value


def possible(name: str, value: Any) -> bool:
    """Whether a measurement can have the value, by the name of its field."""
    if isinstance(value, str):
        if name in ("implementation", "workload", "machine", "digest", "data", "by", "device"):
            return not re.search(r"[/\\\s\0]", value) and not value.startswith(".") and len(value) <= 80
        return name not in ("predicted", "digits") or not value.strip("0123456789")
    if not isinstance(value, int | float):
        return True
    if name.endswith(("_s", "seconds")):
        return 0 <= value <= 1e9
    if name.endswith("accuracy"):
        return 0 <= value <= 1
    if name.endswith(("_bytes", "threads", "block", "blocks", "epoch")):
        return 0 <= value < 2**63
    return -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)


def ended(number: int, frame: FrameType | None) -> None:
    """An input takes too long."""
    raise TimeoutError(f"more than {WITHIN_S} s")


def throw(number: int, seed: int) -> Counter[tuple[str, str]]:
    """Throw so many inputs; how often each reader did what. Anything but ``read`` and ``refused`` is printed too."""
    rng, kinds = random.Random(seed), readers()
    counts: Counter[tuple[str, str]] = Counter()
    signal.signal(signal.SIGALRM, ended)
    with tempfile.TemporaryDirectory(prefix="fcnbench-damage-") as name:
        for i in range(number):
            folder, reader = Path(name, "x", str(i)), kinds[i % len(kinds)]
            content = damaged(reader.good, reader.name, rng)
            what = outcome(reader, content, folder)
            outside = [path for path in (*Path(name).iterdir(), *folder.parent.iterdir(), *folder.iterdir())
                       if path not in (folder.parent, folder, folder / "in")]  # fmt: skip
            if outside or Path("/tmp/fcnbench-damage").exists():
                what = f"wrote outside: {outside}"
            if what not in ("read", "refused"):
                print(f"{reader.name}, input {i}: {what}", flush=True)
                what = what.partition(":")[0]
            counts[reader.name, what] += 1
            shutil.rmtree(folder)
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = throw(options.number, options.seed)
    for (reader, what), count in sorted(found.items()):
        print(f"{reader:60} {what:20} {count}")
    mistakes = sum(count for (_, what), count in found.items() if what not in ("read", "refused"))
    print(f"{options.number} inputs: {sum(count for (_, what), count in found.items() if what == 'read')} read, "
          f"{sum(count for (_, what), count in found.items() if what == 'refused')} refused, {mistakes} mistakes")  # fmt: skip
    sys.exit(bool(mistakes))
