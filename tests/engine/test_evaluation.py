"""The one-line reasons of failures."""

import pytest

from nasturtium.engine._evaluation import MAX_REASON, checked, failure, one_line, reason_of
from nasturtium.estimators import Diverged
from nasturtium.trials import Measurement


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("kernel larger\n  than image"), "ValueError: kernel larger than image"),
        (ValueError(), "ValueError"),
        (KeyError("layers"), "KeyError: 'layers'"),
        (UnprintableError(), "UnprintableError"),
        (Diverged("the loss is inf"), "diverged: the loss is inf"),
        (Diverged(), "diverged: the loss is not finite"),
        (MemoryError(), "out of memory: MemoryError"),
        (RuntimeError("std::bad_alloc"), "out of memory: std::bad_alloc"),
        (RuntimeError("MPS backend out of memory"), "out of memory: MPS backend out of memory"),
        (RuntimeError("shapes differ"), "RuntimeError: shapes differ"),
        (ValueError("can't allocate memory"), "ValueError: can't allocate memory"),
    ],
)
def test_reasons(error, reason):
    assert reason_of(error) == reason


def test_reasons_are_short():
    line = one_line("long " * 1000)
    assert len(line) == MAX_REASON
    assert line.endswith("…")


def test_a_failure_frees_what_the_candidate_held():
    class Tensor:
        alive = 0

        def __init__(self):
            Tensor.alive += 1

        def __del__(self):
            Tensor.alive -= 1

    def candidate():
        held = Tensor()
        raise ValueError(f"with {held.alive} tensor")

    try:
        candidate()
    except ValueError as error:
        message = failure(1, error)
        assert Tensor.alive == 0
    assert message.reason == "ValueError: with 1 tensor"
    assert "in candidate" in message.details


def test_checked_takes_measurements_only():
    measurement = Measurement(0, {})
    assert checked(measurement) is measurement
    with pytest.raises(TypeError, match=r"got float; write yield Measurement\(step, metrics\)"):
        checked(0.5)
