"""The files of ``templates/``, and the one policy under which a page runs: its own scripts and nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from bench.display import html

TEMPLATES = Path(__file__).with_name("templates")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Script:
    """A script as it stands between its tags, and by which name a Content-Security-Policy allows it."""

    text: Markup
    allowed: str


def read(name: str) -> Script:
    """A script of ``templates/``; its hash is of the very bytes that stand in the page."""
    text = file(name)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(text, f"'sha256-{digest}'")


def file(name: str) -> Markup:
    """A file of ours, with nothing filled in."""
    return Markup(TEMPLATES.joinpath(name).read_text(encoding="utf-8"))


def policy(scripts: Sequence[Script]) -> str:
    """What a page with these scripts may do."""
    return f"{POLICY}; script-src {' '.join(script.allowed for script in scripts)}" if scripts else POLICY


def template(name: str) -> jinja2.Template:
    """A template: everything is escaped, and a name that does not exist is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["prose"] = lambda text: Markup(html.text(text))
    return made.get_template(name)
