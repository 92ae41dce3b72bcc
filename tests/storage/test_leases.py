import os
import subprocess
import sys

import pytest

from nasturtium.storage import _leases, new_owner
from nasturtium.storage._leases import in_words, is_alive


def test_owners_differ_and_are_alive():
    assert new_owner() != new_owner()
    assert is_alive(new_owner()) is True


@pytest.mark.skipif(sys.platform != "linux", reason="other systems don't tell when a process began")
def test_a_later_process_of_the_same_number_is_another():
    host, pid, rest = new_owner().rsplit(":", 2)
    start, token = rest.split("-")
    assert is_alive(f"{host}:{pid}:{int(start) - 1}-{token}") is False


def test_a_process_that_ended_is_gone_even_before_its_parent_asks():
    code = "from nasturtium.storage import new_owner; print(new_owner())"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with child:
        owner = child.stdout.readline().strip()
        child.stdout.read()  # until it closes its output, at its end
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and not asked for
        assert is_alive(owner) is False
    assert is_alive(owner) is False


@pytest.mark.parametrize("owner", ["elsewhere:1:5-abcd", "me", "", "a:b:c", "::"])
def test_of_others_nothing_is_known(owner):
    assert is_alive(owner) is None


def test_without_start_times_only_a_missing_process_is_certain(monkeypatch):
    owner = new_owner()
    host, pid, _ = owner.rsplit(":", 2)
    monkeypatch.setattr(_leases, "Path", lambda name: type("Missing", (), {"exists": lambda _: False})())
    assert is_alive(f"{host}:{pid}:-abcd") is None
    assert is_alive(f"{host}:{2**22 + 1}:-abcd") is False  # beyond Linux's greatest number


def test_words():
    assert in_words("machine:12:5-abcd") == "process 12 on machine"
    assert in_words("me") == "me"
