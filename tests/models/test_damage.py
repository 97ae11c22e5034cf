"""Damaged files of trained networks and images: refused in one line, or read as they were."""

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import drawn
import numpy as np
import pytest
import synthetic
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.errors import FcnBenchError
from bench.models import native, picture
from bench.store import models
from impls import portable, registry
from impls.oracle.training import initial_weights

DAMAGES = 200
"""Random damages of each format."""
WORKLOAD = synthetic.WORKLOAD
WEIGHTS = initial_weights(WORKLOAD, np.random.default_rng(1))
ROWS = list(registry.predictors().values())
SOME = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refusal(read: Callable[[Path], object], path: Path) -> str | None:
    """The line with which a file is refused; None where it is read."""
    try:
        read(path)
    except FcnBenchError as error:
        assert str(path) in str(error) and len(str(error).splitlines()) == 1
        assert error.exit_status == 2
        return str(error)
    return None


def members(content: bytes) -> dict[str, bytes]:
    """What an archive holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def damaged(good: bytes) -> Iterator[bytes]:
    """The file with five random bytes changed, and cut off, and with a part that is missing or there twice."""
    rng = random.Random(7)
    for number in range(DAMAGES):
        content = bytearray(good)
        start, end = sorted(rng.randrange(len(good)) for _ in range(2))
        if number % 10 == 0:
            yield good[:start]
        elif number % 10 == 1:
            yield good[:start] + good[end:]
        elif number % 10 == 2:
            yield good[:end] + good[start:]
        else:
            for _ in range(5):
                content[rng.randrange(len(good))] ^= rng.randrange(1, 256)
            yield bytes(content)


def portable_file(path: Path) -> bytes:
    portable.save(
        path, WORKLOAD, WEIGHTS, {"implementation": "matched-pytorch", "framework": "pytorch", "versions": {}}
    )
    return path.read_bytes()


def archive_of(names: list[str]) -> bytes:
    """An archive as a framework writes it for its own format: the network's description, and weights of some kind."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("workload.json", json.dumps(asdict(WORKLOAD)))
        for name in names:
            archive.writestr(name, np.random.default_rng(2).bytes(5000))
    return content.getvalue()


def test_a_damaged_portable_file_is_refused_or_holds_the_same(tmp_path: Path) -> None:
    """Hundreds of random damages: no weight is another one, and no error is not ours."""
    path = tmp_path / "net.npz"
    refused = 0
    for content in damaged(portable_file(path)):
        path.write_bytes(content)
        if refusal(models.load, path):
            refused += 1
            continue
        model = models.load(path)
        assert model.workload == WORKLOAD
        for pair, other in zip(model.weights, WEIGHTS, strict=True):
            np.testing.assert_array_equal(pair[0], other[0], strict=True)
            np.testing.assert_array_equal(pair[1], other[1], strict=True)
    assert refused > 0.9 * DAMAGES  # the others changed the time of day, or bytes between the members


@pytest.mark.process
@pytest.mark.parametrize(
    ("suffix", "names"),
    [(".pt", ["net/data.pkl", "net/data/0", "net/data/1"]), (".keras", ["config.json", "model.weights.h5"])],
)
def test_a_damaged_archive_of_a_framework_does_not_reach_it(
    suffix: str, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is handed to a framework holds the very same members; PyTorch itself would use a damaged one."""
    passed: list[Path] = []

    def unpack(jobs: list[object], *_: object) -> Iterator[object]:
        passed.extend(path for path in [tmp_path / f"net{suffix}"] if jobs)
        return iter(())

    monkeypatch.setattr(native.process, "run_all", unpack)
    path, good, refused = tmp_path / f"net{suffix}", archive_of(names), 0
    for content in damaged(good):
        path.write_bytes(content)
        passed.clear()
        found = native.unpacked([path], ROWS, tmp_path, 60.0)[path]
        assert isinstance(found, FcnBenchError) != bool(passed)
        if isinstance(found, FcnBenchError):
            assert len(str(found).splitlines()) == 1 and str(path) in str(found) and found.exit_status == 2
            refused += 1
        else:
            assert members(content) == members(good)
    assert refused > 0.9 * DAMAGES


def with_members(**changed: bytes) -> bytes:
    """A portable file that is an archive without a fault, some of whose members are others."""
    content, good = io.BytesIO(), io.BytesIO()
    named = {
        f"{name}_{i}": array
        for i, pair in enumerate(WEIGHTS, 1)
        for name, array in zip(portable.NAMES, pair, strict=True)
    }
    np.savez(good, about=np.array("{}"), **named)
    with zipfile.ZipFile(content, "w") as archive:
        for name, value in (members(good.getvalue()) | {f"{key}.npy": value for key, value in changed.items()}).items():
            archive.writestr(name, value)
    return content.getvalue()


def npy(head: bytes, data: bytes = b"") -> bytes:
    """An array's file with any head."""
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


@given(st.one_of(st.binary(max_size=300), st.builds(npy, st.binary(max_size=200), st.binary(max_size=100))))
@example(npy(b"(" * 9000 + b"\n"))
@example(npy(b"-" * 9000 + b"1\n"))
@example(npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4)}\n", b"0" * 16))
@example(npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9)}\n", b"0" * 16))
@example(npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", b"cposix\nsystem\n"))
@SOME
def test_an_array_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever stands in a member whose checksum is right."""
    path = tmp_path / "net.npz"
    for name in ("about", "kernel_1"):
        path.write_bytes(with_members(**{name: content}))
        assert refusal(models.load, path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYS = st.sampled_from(["format", "workload", "implementation", "framework", "versions"])


@given(st.dictionaries(KEYS, JSON) | JSON)
@SOME
def test_a_description_that_is_none_is_refused(tmp_path: Path, about: object) -> None:
    """Any JSON but that of a network: the line names the file and no field is believed."""
    if isinstance(about, dict) and about.get("format") is not None:
        about["format"] = portable.FORMAT
    described = io.BytesIO()
    np.save(described, np.array(json.dumps(about)))
    path = tmp_path / "net.npz"
    path.write_bytes(with_members(about=described.getvalue()))
    assert refusal(models.load, path)


FORMATS = {
    "PNG": {}, "JPEG": {}, "GIF": {}, "BMP": {}, "WEBP": {}, "PPM": {}, "TIFF": {},
    "TIFF, compressed": {"format": "TIFF", "compression": "tiff_lzw"},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_image_is_refused_or_read(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A picture of its size, or one line; no decoder writes one of its own."""
    content, small = io.BytesIO(), drawn.digit().resize((60, 60))
    small.save(content, **({"format": name} | FORMATS[name]))
    for damage in damaged(content.getvalue()):
        (tmp_path / "digit").write_bytes(damage)
        if refusal(picture.load, tmp_path / "digit") is None:
            image = picture.load(tmp_path / "digit")
            assert image.shape == (28, 28) and image.dtype == np.uint8
    assert capfd.readouterr() == ("", "")


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a", b"P5 ", b"BM"]))
@SOME
def test_bytes_that_are_no_image_are_refused(tmp_path: Path, content: bytes, start: bytes) -> None:
    """Or they are one by chance, and then have 28 x 28 pixels."""
    (tmp_path / "digit").write_bytes(start + content)
    if refusal(picture.load, tmp_path / "digit") is None:
        assert picture.load(tmp_path / "digit").shape == (28, 28)


@pytest.mark.parametrize("size", [(1, 64_000_000), (40_000, 1), (picture.SIDE + 1, 100)])
def test_a_side_that_is_too_long_is_refused_before_it_is_decoded(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few pixels the other side has."""
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("was decoded"))
    with (tmp_path / "long.pgm").open("wb") as file:
        file.write(b"P5 %d %d 255\n" % size)
    line = refusal(picture.load, tmp_path / "long.pgm")
    assert line and f"has {size[0]} x {size[1]} pixels, at most 32768 on a side" in line


def test_the_longest_side_is_read(tmp_path: Path) -> None:
    """And takes little memory, as it is resampled from one number for each pixel of a side."""
    image = Image.new("L", (picture.SIDE, 3), 255)
    image.paste(0, (9000, 1, 20_000, 2))
    image.save(tmp_path / "long.png")
    assert picture.load(tmp_path / "long.png", "plain").shape == (28, 28)
