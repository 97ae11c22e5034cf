"""Whatever a file holds: it is read, with values that a measurement can have, or refused in one line."""

import json
import os
import random
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import damage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import MACHINE, result

from bench.data import networks
from bench.errors import FcnBenchError
from bench.store import archive, formats, models, predictions
from bench.store.records.machine import Machine

QUICK = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
"""A few seconds for each test, and the same inputs in every run; tests/method/damage.py throws as many as one likes."""
LARGE = 200_000
"""Bytes of a file of which fewer damaged ones are read."""
READERS = damage.readers()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(damage.HOSTILE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_damaged_file_is_read_with_possible_values_or_refused(reader: damage.Reader) -> None:
    """Of every kind that there is."""

    @settings(QUICK, max_examples=40 if len(reader.good) < LARGE else 10)
    @given(st.randoms(use_true_random=False))
    def check(rng: random.Random) -> None:
        with tempfile.TemporaryDirectory() as folder:
            content = damage.damaged(reader.good, reader.name, rng)
            assert damage.outcome(reader, content, Path(folder, "x")) in ("read", "refused")
            assert {path.name for path in Path(folder, "x").iterdir()} == {"in"}

    check()


@pytest.mark.parametrize("record", [result(), MACHINE], ids=lambda record: type(record).__name__)
@pytest.mark.parametrize("field", ["cell", "readings", "epochs", "switches", "machine", "started", "ram_bytes"])
def test_any_json_in_the_place_of_a_field_is_a_possible_value_or_refused(record: Any, field: str) -> None:
    """Values of every type and shape."""

    @QUICK
    @given(JSON)
    def check(value: Any) -> None:
        kind: Callable[[Any], type[Any]] = (lambda _: Machine) if record is MACHINE else archive.kind_of_result
        try:
            content = json.dumps({"format": formats.FORMAT, **asdict(record), field: value})
            found = formats.decoded(content, kind)
        except ValueError:
            return
        assert all(damage.possible(name, leaf) for name, leaf in damage.leaves(found))

    check()


@QUICK
@given(st.text(max_size=100))
def test_a_name_is_fit_for_a_file_or_refused(name: str) -> None:
    """A name that is accepted makes a file in the directory and nowhere else."""
    try:
        cell = result(name).cell
    except ValueError:
        return
    path = archive.cell_path(Path("out"), result(name))
    assert path.parent == Path("out", "cells") and len(path.name.encode()) < 250 and cell.key in path.name


@pytest.mark.parametrize(
    "read",
    [
        networks.load,
        models.load,
        predictions.read_file,
        lambda path: formats.read(path, archive.kind_of_result),
        lambda path: archive.everything(path.parents[1]),
    ],
)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    """Nobody may ever write into it."""
    (tmp_path / "cells").mkdir()
    os.mkfifo(tmp_path / "cells" / "x.json")
    with pytest.raises(FcnBenchError, match="is no regular file"):
        read(tmp_path / "cells" / "x.json")
