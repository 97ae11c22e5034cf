"""The files of ``templates/``, and the one policy under which a page runs: its own scripts and nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from bench.display import html

TEMPLATES = Path(__file__).with_name("templates")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def read(name: str) -> Markup:
    """A script or a style sheet of ``templates/`` as it stands in a page."""
    return Markup(TEMPLATES.joinpath(name).read_text(encoding="utf-8"))


def policy(scripts: Sequence[str]) -> str:
    """The Content-Security-Policy of a page that runs these scripts, each known by its hash, and no others."""
    if not scripts:
        return POLICY
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"{POLICY}; script-src {allowed}"


def template(name: str) -> jinja2.Template:
    """A template: everything is escaped, and a name that does not exist is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["prose"] = lambda text: Markup(html.text(text))
    return made.get_template(name)
