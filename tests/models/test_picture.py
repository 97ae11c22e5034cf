"""Image files: every form of the same picture gives the same image, and what is none is told in one line."""

import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import drawn
import numpy as np
import pytest
from PIL import Image

from bench.errors import FcnBenchError
from bench.models import picture


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """``saved("a.png", image)``: the path of the file."""

    def save(name: str, image: Image.Image, **options: object) -> Path:
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


def rgba(image: Image.Image, level: int) -> Image.Image:
    """The strokes in one grey on a transparent ground."""
    strokes = 255 - np.asarray(image)
    return Image.fromarray(np.dstack([np.full_like(strokes, level)] * 3 + [strokes]))


FORMS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "grey.png": lambda image: image,
    "inverted.bmp": lambda image: image.point(lambda level: 255 - level),
    "colour.png": lambda image: Image.merge("RGB", (image.point(lambda level: 60 + level * 195 // 255), image, image)),
    "palette.gif": lambda image: image.convert("P"),
    "alpha.png": lambda image: image.convert("LA"),
    "black on nothing.png": lambda image: rgba(image, 0),
    "white on nothing.png": lambda image: rgba(image, 255),
    "16 bits.png": lambda image: Image.fromarray(np.asarray(image, np.uint16) * 16),
    "32 bits.tif": lambda image: Image.fromarray(np.asarray(image, np.int32) * 1000 - 70),
    "float.tif": lambda image: Image.fromarray(np.asarray(image, np.float32) / 255),
    "print.jpg": lambda image: image.convert("CMYK"),
    "photo.jpg": lambda image: image.convert("RGB"),
    "photo.webp": lambda image: image.convert("RGB"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_picture_gives_the_same_image(name: str, saved: Callable[..., Path]) -> None:
    """Colour, depth, transparency and polarity do not matter; what lossy formats change is hardly seen."""
    wanted = picture.load(saved("wanted.png", drawn.digit())).astype(int)
    assert wanted.max() == 255 and wanted[:3].max() == 0
    found = picture.load(saved(name, FORMS[name](drawn.digit())))
    assert np.abs(found - wanted).mean() < (2 if name.endswith(("jpg", "webp")) else 0.1)


@pytest.mark.parametrize("size", [(56, 56), (97, 131), (640, 480), (3000, 2000)])
def test_size_and_place_do_not_matter(size: tuple[int, int], saved: Callable[..., Path]) -> None:
    """The digit is found where it is and brought to one size; the plain way depends on where it lies."""
    wanted = picture.load(saved("wanted.png", drawn.digit())).astype(int)
    path = saved("other.png", drawn.digit(size=size))
    assert np.abs(picture.load(path) - wanted).mean() < 6
    if size[0] > 500:
        assert np.abs(picture.load(path, "plain") - wanted).mean() > 10


def test_a_camera_that_was_held_upright_is_believed(saved: Callable[..., Path]) -> None:
    """The orientation in the file turns the picture as viewers do."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = picture.load(saved("turned.png", drawn.digit().rotate(90), exif=exif))
    np.testing.assert_array_equal(turned, picture.load(saved("upright.png", drawn.digit())))


def test_of_several_frames_the_first_is_read(saved: Callable[..., Path]) -> None:
    """An animation or a file of several pages is its first."""
    path = saved("film.tif", drawn.digit(7), save_all=True, append_images=[drawn.digit(1)])
    np.testing.assert_array_equal(picture.load(path), picture.load(saved("one.png", drawn.digit(7))))


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has so many pixels, whatever it holds."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def cut(name: str, folder: Path) -> bytes:
    """The first half of a good file."""
    drawn.digit().save(folder / name)
    content = (folder / name).read_bytes()
    return content[: len(content) // 2]


BAD: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty.png": (lambda _: b"", "is empty"),
    "text.png": (lambda _: b"seven\n" * 99, "no image in a format that is read here: PNG, JPEG"),
    "drawing.svg": (lambda _: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no image in a format that is read here"),
    "phone.heic": (lambda _: b"\0\0\0\x18ftypheic" + b"\0" * 99, "no image in a format that is read here"),
    "program.eps": (lambda _: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no image in a format"),
    "cut.png": (lambda folder: cut("cut.png", folder), "damaged or cut off"),
    "cut.jpg": (lambda folder: cut("cut.jpg", folder), "damaged or cut off"),
    "cut.bmp": (lambda folder: cut("cut.bmp", folder), "damaged or cut off"),
    "few.png": (lambda _: png(50, 50, b"\0" * 99), "damaged or cut off"),
    "nothing.png": (lambda _: png(0, 5), "image"),
    "bomb.png": (lambda _: png(20_000, 20_000, b"\0" * 999), "more than 64 million pixels"),
    "large.png": (lambda _: png(8_001, 8_000, b"\0" * 999), "more than 64 million pixels"),
}


def refusal(path: Path) -> str:
    with pytest.raises(FcnBenchError) as refused:
        picture.load(path)
    assert str(path) in str(refused.value) and len(str(refused.value).splitlines()) == 1
    return str(refused.value)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    """The file, what is wrong with it, what to do."""
    content, words = BAD[name]
    (tmp_path / name).write_bytes(content(tmp_path))
    assert words in refusal(tmp_path / name)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its head: no pixel is asked for."""
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("was decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("was decoded"))
    (tmp_path / "bomb.png").write_bytes(png(20_000, 20_000))
    start = time.process_time()
    assert "64 million" in refusal(tmp_path / "bomb.png")
    assert time.process_time() - start < 30  # decoding takes longer; a pipe or loop would never end


def test_what_is_no_file_is_told_too(tmp_path: Path) -> None:
    """Missing, a directory, a pipe that nobody writes to, a device without end: none of them is waited for."""
    assert "No such file" in refusal(tmp_path / "none.png")
    assert "is a directory" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "none" / "none.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert "device or a pipe" in refusal(tmp_path / "pipe")
        assert "device or a pipe" in refusal(Path("/dev/zero"))


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the system's words."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.png"
    drawn.digit().save(path)
    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be read (Permission denied)" in refusal(path)


@pytest.mark.parametrize(
    "image",
    [Image.new("L", (50, 50), 200), Image.new("RGBA", (50, 50)), Image.new("L", (1, 1)), Image.new("I;16", (9, 9), 5)],
    ids=["grey", "transparent", "one pixel", "16 bits"],
)
def test_a_blank_picture_is_told(image: Image.Image, saved: Callable[..., Path]) -> None:
    """There is nothing to be predicted, and nothing is divided by no contrast."""
    assert "is blank" in refusal(saved("blank.png", image))


def test_an_empty_sheet_is_told(saved: Callable[..., Path]) -> None:
    """A photograph of paper alone has contrast but no digit."""
    assert "shows no digit" in refusal(saved("sheet.png", drawn.photographed(strokes=False)))


def test_pixels_that_are_no_numbers_are_told(saved: Callable[..., Path]) -> None:
    """A float image may hold NaN."""
    levels = np.asarray(drawn.digit(), np.float32).copy()
    levels[0, 0] = np.nan
    assert "no numbers" in refusal(saved("nan.tif", Image.fromarray(levels)))
