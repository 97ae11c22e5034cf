"""Text of others, such as a reason or a log, as a terminal, a CSV and a page can show it."""

import re

ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, moves of the cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[ -/]*[0-~]"
)
"""What a terminal obeys instead of showing it, by ECMA-48."""
LONGEST = 240
"""Characters of a reason that is part of an error."""
SHOWN = "\n\t\N{NO-BREAK SPACE}"
"""What is no printable character and may stay."""


def clean(text: str) -> str:
    """The text without escape sequences; control characters and halves of characters become spaces.

    Line ends and tabs stay; text that has nothing of this is returned as it is.
    """
    if text.isprintable():
        return text
    text = ESCAPES.sub("", re.sub(r"\r\n?", "\n", text))
    return "".join(letter if letter.isprintable() or letter in SHOWN else " " for letter in text)


def one_line(text: str) -> str:
    """The clean text on one line."""
    return " ".join(clean(text).split())


def brief(text: str) -> str:
    """The clean text as part of a line."""
    return one_line(text)[:LONGEST]
