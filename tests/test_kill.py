"""A killed search loses nothing: kill -9 of the whole process group, then resume."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TRIALS = 30
COMMON = ["--space", "chain(stages=2, depth=2, widths=(4, 8))", "--estimator", "training(epochs=1)"]


def nasturtium(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "nasturtium.cli", *arguments]


def start_search(folder: Path, workers: int) -> subprocess.Popen[bytes]:
    command = nasturtium(
        "search", "digits", *COMMON, "--trials", str(TRIALS), "--workers", str(workers), "--seed", "3",
        "--name", "s", "--storage", f"sqlite:///{folder}/s.db", "--out", str(folder / "out"),
    )  # fmt: skip
    with (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(command, start_new_session=True, stdout=log, stderr=log)


def show(folder: Path) -> dict[str, Any]:
    command = nasturtium("show", "s", "--json", "--storage", f"sqlite:///{folder}/s.db")
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def resume(folder: Path) -> None:
    command = nasturtium("resume", "s", "--storage", f"sqlite:///{folder}/s.db")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def wait_for_final_training(folder: Path, process: subprocess.Popen[bytes]) -> float:
    """Return how many seconds after the start the search said that final training begins."""
    begun = time.monotonic()
    while b"final training" not in (folder / "log.txt").read_bytes():
        assert process.poll() is None, (folder / "log.txt").read_text()
        time.sleep(0.01)
    return time.monotonic() - begun


def kill_and_resume(folder: Path, moment: float, workers: int, *, is_final: bool) -> tuple[str, dict[str, Any]]:
    """Kill a search at a moment of its search or its final training, resume it, and return phase and result."""
    folder.mkdir()
    process = start_search(folder, workers)
    if is_final:
        wait_for_final_training(folder, process)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if not (folder / "s.db").exists():  # killed before the study began: there is nothing to resume
        process = start_search(folder, workers)
        assert process.wait() == 0
        return "before", show(folder)
    before = show(folder)["trials"] if has_study(folder) else []
    if not has_study(folder):
        assert start_search(folder, workers).wait() == 0
        return "before", show(folder)
    phase = "final" if sum(t["state"] == "finished" for t in before) == TRIALS else "search"
    resume(folder)
    return phase, show(folder)


def has_study(folder: Path) -> bool:
    command = nasturtium("list", "--json", "--storage", f"sqlite:///{folder}/s.db")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and bool(json.loads(done.stdout))


def outcome(study: dict[str, Any]) -> list[tuple[int, str, dict[str, float]]]:
    return [(t["number"], t["key"], t["metrics"]) for t in study["trials"]]


def check_complete(study: dict[str, Any], folder: Path) -> None:
    assert [t["number"] for t in study["trials"]] == list(range(TRIALS))
    assert {t["state"] for t in study["trials"]} == {"finished"}
    front = json.loads((folder / "out" / "front.json").read_text())
    assert front
    for entry in front:
        assert (folder / "out" / entry["folder"] / "weights.safetensors").exists()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("workers", [1, 2])
def test_twenty_killed_searches_end_like_an_uninterrupted_one(tmp_path: Path, workers: int) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    begun = time.monotonic()
    process = start_search(whole, workers)
    search_seconds = wait_for_final_training(whole, process)
    assert process.wait() == 0, (whole / "log.txt").read_text()
    final_seconds = time.monotonic() - begun - search_seconds
    reference = show(whole)
    check_complete(reference, whole)
    rng = random.Random(0)
    phases = []
    for attempt in range(20):
        folder = tmp_path / f"killed-{attempt}"
        is_final = attempt % 2 == 1
        moment = rng.uniform(0, final_seconds if is_final else search_seconds)
        phase, study = kill_and_resume(folder, moment, workers, is_final=is_final)
        phases.append(phase)
        check_complete(study, folder)
        if workers == 1:
            assert outcome(study) == outcome(reference)
    assert {"search", "final"} <= set(phases), phases
