"""Digits drawn with a thick pen, for tests that need pictures."""

import numpy as np
from PIL import Image, ImageDraw

STROKES = {
    1: [[(140, 40), (140, 240)]],
    4: [[(90, 40), (70, 150), (210, 150)], [(170, 60), (170, 240)]],
    7: [[(70, 50), (210, 50), (120, 240)]],
}


def digit(number: int = 7, size: tuple[int, int] = (280, 280), ink: int = 0, paper: int = 255) -> Image.Image:
    """A grey picture, dark on bright unless told otherwise; the strokes keep their form at other sizes."""
    image = Image.new("L", (280, 280), 0)
    draw = ImageDraw.Draw(image)
    for stroke in STROKES[number]:
        draw.line(stroke, 255, 22, joint="curve")
    scale = min(size) / 280
    small = image.resize((round(280 * scale), round(280 * scale)), Image.Resampling.BOX)
    sheet = Image.new("L", size, 0)
    sheet.paste(small, (size[0] - small.width, 0))
    return sheet.point(lambda level: round(paper + (ink - paper) * level / 255))


def photographed(number: int = 7, seed: int = 1, strokes: bool = True) -> Image.Image:
    """The same on ruled paper with a shadow across it and grain."""
    random = np.random.default_rng(seed)
    levels = np.asarray(digit(number, (400, 360), ink=255, paper=0)) / 255 * (0.6 if strokes else 0.0)
    rows, columns = np.mgrid[0:360, 0:400] / 400
    paper = 0.9 - 0.4 * (0.7 * columns + 0.3 * rows)
    if strokes:
        paper[20::40] *= 0.85
    return Image.fromarray(np.uint8(255 * np.clip(paper * (1 - levels) + random.normal(0, 0.03, levels.shape), 0, 1)))
