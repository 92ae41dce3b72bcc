"""What works on this machine."""

import pytest

from nasturtium import _doctor
from nasturtium._doctor import Finding


def test_doctor_looks_at_everything_and_finds_a_worker_that_answers(run):
    result = run("doctor")
    assert result.code == 0, result.out
    lines = {line.split()[1]: line for line in result.out.splitlines()}
    for what in ("python", "torch", "cores", "memory", "scikit-learn", "onnx", "sqlite", "worker"):
        assert lines[what].split()[0] in ("ok", "missing"), what
    assert "fashion-mnist" in lines
    assert "started and answered" in lines["worker"]
    assert result.out.splitlines()[-1] == "everything that is needed works"


def test_doctor_leaves_nothing(run):
    from pathlib import Path

    assert _doctor._sqlite().is_well
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("finding", "code", "mark"),
    [
        (Finding("ray", False, "not installed; pip install ray"), 0, "missing"),
        (Finding("torch", False, "not installed; pip install torch", is_needed=True), 1, "broken"),
        (Finding("torch", True, "2.13", is_needed=True), 0, "ok"),
    ],
)
def test_only_what_is_needed_makes_it_fail(run, monkeypatch, finding, code, mark):
    monkeypatch.setattr(_doctor, "CHECKS", (lambda: finding,))
    result = run("doctor")
    assert result.code == code
    assert result.out.startswith(mark)
    assert finding.says in result.out


def test_missing_extras_are_told_with_the_way_to_get_them(monkeypatch):
    monkeypatch.setattr(_doctor.importlib.util, "find_spec", lambda name: None)
    assert not _doctor._onnx().is_well
    assert "pip install 'nasturtium[onnx]'" in _doctor._onnx().says


def test_missing_data_is_told_with_the_way_to_get_it(monkeypatch):
    from nasturtium.tasks import _fashion_mnist

    monkeypatch.setattr(_fashion_mnist, "DEBIAN", "/nowhere")
    monkeypatch.delenv("NASTURTIUM_DATA", raising=False)
    assert "apt-get install dataset-fashion-mnist" in _doctor._fashion_mnist().says


def test_a_folder_that_cannot_be_written_is_broken(monkeypatch):
    from pathlib import Path

    monkeypatch.setattr(Path, "cwd", lambda: Path("/proc"))
    finding = _doctor._sqlite()
    assert finding.is_needed
    assert not finding.is_well
    assert "--storage" in finding.says
