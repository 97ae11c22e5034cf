"""Files of an earlier format are read as today's records, and those of a later one are refused in one line."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import MACHINE, READINGS, library, result, swept

from bench.errors import FcnBenchError
from bench.store import archive, formats
from bench.store.records.cell import Result
from bench.store.records.machine import Machine
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Check, Verification

RESULTS = Path(__file__).parents[2] / "results"
DISTURBED = ("parent_cpu_s", "involuntary_switches", "steal_s", "others_cpu_s")


def earlier(record: Result) -> dict[str, Any]:
    """A result as format 1 held it: one record for all roles, a field for each reading, no number."""
    values = asdict(record)
    readings = values.pop("readings")
    values["noise"] = {name: readings.pop(name) for name in DISTURBED if name in readings}
    values["memory"] = {**readings, "device_peak_bytes": None}
    values["sweep"], values["parts"] = values.pop("points", []), values.get("parts", [])
    for epoch in values.setdefault("epochs", []):
        epoch["train_energy_j"] = epoch.pop("readings").get("train_energy_j")
    return values


def read(values: dict[str, Any]) -> Result:
    return formats.decoded(json.dumps(values), archive.kind_of_result)


@pytest.mark.parametrize("record", [result(), swept(), library("numpy", 1)], ids=lambda record: type(record).__name__)
def test_every_kind_of_result_of_the_first_format_is_read(record: Result) -> None:
    """As the record of its role, with its readings in one place; a reading that was empty is empty."""
    assert read(earlier(record)) == replace(record, readings=record.readings | {"device_peak_bytes": None})


@pytest.mark.parametrize("energy", [None, 0.0, 12.5])
def test_the_energy_of_an_epoch_becomes_a_reading(energy: float | None) -> None:
    """Also where the counter had not moved."""
    values = earlier(result(epochs=1))
    values["epochs"][1]["train_energy_j"] = energy
    found = read(values)
    assert isinstance(found, TrainingResult) and found.epochs[0].readings == {}
    assert found.epochs[1].readings == ({} if energy is None else {"train_energy_j": energy})


def test_a_result_of_before_there_were_sweeps_and_readings_is_read() -> None:
    """What was not there yet is empty."""
    values = earlier(result())
    for name in ("sweep", "parts", "memory", "noise"):
        del values[name]
    assert read(values) == result(readings={})


def test_the_rungs_of_a_verification_are_its_checks(tmp_path: Path) -> None:
    """They lie in the same folder."""
    check = Check("logits", 0.5, 0.1, False, "")
    answer = Verification("matched-pytorch", "tiny", "cpu", "d", "failed", "logits", (check,))
    values = asdict(answer)
    values["rungs"] = values.pop("checks")
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "x.json").write_text(json.dumps(values))
    assert archive.records(tmp_path, Verification) == [answer]


def test_what_is_written_says_its_format(tmp_path: Path) -> None:
    """Every file of a directory."""
    with archive.opened(tmp_path):
        archive.save(tmp_path, result())
        archive.save_record(tmp_path, MACHINE)
    files = [json.loads(path.read_text()) for path in tmp_path.rglob("*.json")]
    assert [content["format"] for content in files] == [formats.FORMAT] * 2
    assert files[0].keys() == files[0].keys() - {"memory", "noise", "sweep", "parts"}


@pytest.mark.parametrize("number", [formats.FORMAT + 1, "new"])
def test_a_later_format_is_refused_in_one_line(tmp_path: Path, number: Any) -> None:
    """It says what this version reads, and what to do."""
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "x.json").write_text(json.dumps({"format": number, **asdict(MACHINE)}))
    with pytest.raises(FcnBenchError) as refused:
        archive.records(tmp_path, Machine)
    line = str(refused.value)
    assert f"format {number}, this version reads up to {formats.FORMAT}" in line and "update fcnbench" in line
    assert "x.json" in line and "\n" not in line


@pytest.mark.parametrize("name", ["documents", "gpu", "reference", "tuned"])
def test_committed_results_are_read(name: str) -> None:
    """Whichever format they were stored in; none has lost a reading on the way."""
    for record in archive.everything(RESULTS / name):
        content = json.loads((RESULTS / name / "cells" / f"{record.cell.key}.json").read_text())
        stored = content.get("readings") or content["memory"] | content["noise"]
        assert record.readings == stored and (record.readings.keys() & READINGS or record.status != "ok")
