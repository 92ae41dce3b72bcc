"""Signals, in real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasturtium._stored import stored_study
from nasturtium.storage import open_storage

BLOCK = """
import time
from rich.console import Console
from nasturtium._interrupt import Interruptible
try:
    with Interruptible(Console(stderr=True)) as block:
        block.way_on = "nasturtium resume it"
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            print("cleaning", flush=True)
            {cleaning}
except BaseException as error:
    raise SystemExit(getattr(error, "exit_code", 99))
"""


def start(code):
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_cleans_up_and_says_how_to_go_on(number):
    process = start(BLOCK.format(cleaning="pass"))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert out == "cleaning\n"
    assert err == "interrupted; everything measured is kept: nasturtium resume it\n"
    assert process.returncode == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(number):
    process = start(BLOCK.format(cleaning="time.sleep(60)"))
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "cleaning\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert "nasturtium resume it" in err
    assert process.returncode == 130


def search(folder, *, trials, workers):
    line = ["search", "digits", "--trials", str(trials), "--workers", str(workers)]
    line += ["--name", "it", "--estimator", "training(epochs=1)"]
    return subprocess.Popen(
        [sys.executable, "-m", "nasturtium.cli", *line],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process, is_there, seconds=90):
    end = time.monotonic() + seconds
    while not is_there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


def n_finished(folder, name="it"):
    if not (folder / "nasturtium.db").exists():
        return 0
    storage = open_storage(f"sqlite:///{folder}/nasturtium.db")
    try:
        return stored_study(name, storage).states.get("finished", 0) if storage.read(name) else 0
    finally:
        storage.close()


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")
def test_ctrl_c_ends_the_workers_and_keeps_what_was_measured(tmp_path):
    process = search(tmp_path, trials=500, workers=2)
    wait_for(process, lambda: n_finished(tmp_path) >= 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == ("interrupted; everything measured is kept: nasturtium resume it --storage sqlite:///nasturtium.db\n")
    assert not any(is_running(pid) for pid in children)
    assert n_finished(tmp_path) >= 2


def trials_of(folder, name):
    history = stored_study(name, open_storage(f"sqlite:///{folder}/nasturtium.db")).history
    return [(t.number, t.architecture, t.state, t.metrics) for t in history.trials()]


def has_study(folder, name):
    path = folder / "nasturtium.db"
    return path.exists() and name in open_storage(f"sqlite:///{path}").studies()


MOMENTS = {
    "the data": lambda folder: True,
    "the search": lambda folder: n_finished(folder) >= 2,
    "final training": lambda folder: has_study(folder, "it/final@4"),
    "export": lambda folder: (folder / "out" / "it").exists(),
}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    process = search(folder, trials=4, workers=1)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_search_killed_during(tmp_path, uninterrupted, moment):
    """It is resumed to the same end as if nothing had happened."""
    process = search(tmp_path, trials=4, workers=1)
    wait_for(process, lambda: MOMENTS[moment](tmp_path))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    if has_study(tmp_path, "it"):
        line = [sys.executable, "-m", "nasturtium.cli", "resume", "it"]
        resumed = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert resumed.returncode == 0, resumed.stderr
    else:
        again = search(tmp_path, trials=4, workers=1)
        _, err = again.communicate(timeout=120)
        assert again.returncode == 0, err
    for name in ("it", "it/final@4"):
        assert trials_of(tmp_path, name) == trials_of(uninterrupted, name)
    front = json.loads((tmp_path / "out" / "it" / "front.json").read_text())
    assert front == json.loads((uninterrupted / "out" / "it" / "front.json").read_text())
    stale = [path for path in (tmp_path / "out" / "it").rglob("*") if path.name.startswith(".")]
    assert stale == []
