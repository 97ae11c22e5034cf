"""The tutorials: their networks, their claims and what is known of them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

DOCUMENTS = Path(__file__).with_name("documents.toml")


@cache
def facts(path: Path = DOCUMENTS) -> dict[str, Any]:
    """The file with the claims."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def claims() -> pd.DataFrame:
    """The documents' claims about one network in one framework, one row each."""
    return pd.DataFrame(facts()["claim"])
