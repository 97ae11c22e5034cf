"""The scripts that a page carries, and the one policy under which it runs: these and nothing else, no network."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Script:
    """A script as it stands between its tags, and by which name a Content-Security-Policy allows it."""

    text: Markup
    allowed: str


def read(name: str) -> Script:
    """A script of ``templates/``; its hash is of the very bytes that stand in the page."""
    text = Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(Markup(text), f"'sha256-{digest}'")  # a file of ours, with nothing filled in


def policy(scripts: Sequence[Script]) -> str:
    """What a page with these scripts may do."""
    return f"{POLICY}; script-src {' '.join(script.allowed for script in scripts)}" if scripts else POLICY
