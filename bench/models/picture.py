"""A picture of a digit in a file as the 28 x 28 bytes that a network takes: any size, colour, depth and polarity.

Pillow decodes, and decides nothing else: what becomes of the grey levels stands in :mod:`bench.models.centring`.
"""

import logging
import math
import os
import stat
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.errors import FcnBenchError
from bench.models import centring, paper
from bench.models.centring import Grey

Resize = Literal["centred", "plain"]
LEAST_CONTRAST = 0.03
"""Between the darkest and the brightest pixel; with less there is nothing to be seen."""
LIMIT = 64_000_000
"""Pixels that a picture may have: more than most cameras give, and few enough for the memory of a small machine."""
SIDE = 1 << 15
"""Pixels that a side may have: resampling takes memory for each of them, however few the other side has."""
LARGE = 1 << 20
"""Pixels above which squares of pixels are averaged first, so that it takes no more memory than a small picture."""
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "AVIF")
"""Decoders that may be used: all of them decode by themselves, none starts another program."""
NAMES = "PNG, JPEG, GIF, BMP, TIFF, WebP, PPM and AVIF"
DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
"""Pillow's modes with more than 8 bits; their range is not known and taken from the darkest to the brightest pixel."""
logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it has to say about odd files is not for our users


def load(path: Path, resize: Resize = "centred") -> NDArray[np.uint8]:
    """The digit in an image file, uint8 ``[28, 28]``, bright on dark. Raises FcnBenchError for what shows none."""
    grey = read(path)
    if grey.max() - grey.min() < LEAST_CONTRAST:
        raise FcnBenchError(f"image {path}: is blank, all of it is equally bright; give one with a digit on it")
    if resize == "plain":
        return centring.plain(grey)
    try:
        return centring.centred(paper.without(centring.ink(grey)))
    except ValueError as error:
        raise FcnBenchError(f"image {path}: shows no digit ({error}); give one with dark strokes on bright") from error


def load_all(paths: Iterable[Path], resize: Resize) -> tuple[dict[Path, NDArray[np.uint8]], list[str]]:
    """The digits in those files that show one, as :func:`load` gives them, and why the others are refused."""
    images, refused = {}, []
    for path in dict.fromkeys(paths):
        try:
            images[path] = load(path, resize)
        except FcnBenchError as error:
            refused.append(str(error))
    return images, refused


def read(path: Path) -> Grey:
    """An image file's grey levels, in the orientation in which it is to be seen. Raises FcnBenchError for any other."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise FcnBenchError(f"image {path}: is a directory; give image files")
        if not stat.S_ISREG(about.st_mode):  # a pipe or a device might never end
            raise FcnBenchError(f"image {path}: is a device or a pipe; give image files")
        if not about.st_size:
            raise FcnBenchError(f"image {path}: is empty; give an image file")
        with path.open("rb") as file, warnings.catch_warnings(), muted():
            warnings.simplefilter("ignore")  # about sizes: they are checked here
            with Image.open(file, formats=[name for name in FORMATS if name in registered()]) as image:
                check_size(path, image.size)
                return grey_levels(image)
    except FcnBenchError:
        raise
    except Image.DecompressionBombError:
        raise too_large(path) from None
    except UnidentifiedImageError:
        raise FcnBenchError(f"image {path}: is no image in a format that is read here: {NAMES}") from None
    except OSError as error:
        if error.strerror is None:  # not the system's word but a decoder's
            raise damaged(path, error) from error
        raise FcnBenchError(f"image {path}: cannot be read ({error.strerror}); give an image file") from error
    except Exception as error:  # in damaged files the decoders meet whatever their arithmetic leads to
        raise damaged(path, error) from error


@contextmanager
def muted() -> Iterator[None]:
    """Standard error leads nowhere: libtiff writes its own lines there, which would precede ours."""
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def registered() -> set[str]:
    """The decoders that this Pillow was built with."""
    Image.init()
    return set(Image.OPEN)


def check_size(path: Path, size: tuple[int, int]) -> None:
    """Raise FcnBenchError for no pixels, or for more than are read; nothing has been decoded yet."""
    if 0 in size:
        raise FcnBenchError(f"image {path}: has {size[0]} x {size[1]} pixels; give one with a digit on it")
    if math.prod(size) > LIMIT:
        raise too_large(path)
    if max(size) > SIDE:
        raise FcnBenchError(f"image {path}: has {size[0]} x {size[1]} pixels, at most {SIDE} on a side; shrink it")


def too_large(path: Path) -> FcnBenchError:
    """The refusal of what would fill the memory."""
    return FcnBenchError(
        f"image {path}: has more than {LIMIT // 10**6} million pixels, the most that are read; shrink it"
    )


def damaged(path: Path, error: Exception) -> FcnBenchError:
    """The refusal of what cannot be decoded."""
    what = " ".join(str(error).split())[:100] or type(error).__name__
    return FcnBenchError(f"image {path}: is damaged or cut off ({what}); give a whole one")


def grey_levels(image: Image.Image) -> Grey:
    """A picture's brightness (ITU-R 601); what is transparent in it is white, or black if all was white."""
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode in DEEP:
        values = averaged(image if image.mode == "F" else image.convert("I").convert("F"))
        if not np.isfinite(values).all():
            raise ValueError("some of its pixels are no numbers")
        lowest, highest = values.min(), values.max()
        levels: Grey = (values - lowest) / ((highest - lowest) or 1.0)
        return levels
    if image.mode == "LAB":
        return averaged(image.getchannel("L")) / 255
    if not image.has_transparency_data:
        return averaged(image.convert("L") if image.mode in ("1", "L") else image.convert("RGB").convert("L")) / 255
    ink = shrunk(image if image.mode == "RGBA" else image.convert("RGBA"))
    levels = np.zeros((1, 1))
    for behind in ("white", "black"):
        sheet = Image.new("RGBA", ink.size, behind)
        sheet.alpha_composite(ink)
        levels = np.asarray(sheet.convert("L"), np.float64) / 255
        if levels.max() - levels.min() >= LEAST_CONTRAST:
            break
    return levels


def averaged(image: Image.Image) -> Grey:
    """Its pixels as numbers, a large picture's averaged over squares."""
    return np.asarray(shrunk(image), np.float64)


def shrunk(image: Image.Image) -> Image.Image:
    """A large picture averaged over squares of its pixels; a small one as it is."""
    factor = math.isqrt(image.width * image.height // LARGE)
    return image.reduce(factor) if factor > 1 else image
