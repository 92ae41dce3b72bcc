"""Garbage is collected as before, however searches overlap."""

import gc
from contextlib import ExitStack

import pytest

from nasturtium._collection import no_collection, rare_collection


@pytest.fixture(autouse=True)
def _as_before():
    thresholds, is_enabled = gc.get_threshold(), gc.isenabled()
    yield
    gc.set_threshold(*thresholds)
    (gc.enable if is_enabled else gc.disable)()


def test_the_last_of_overlapping_searches_puts_it_back():
    gc.set_threshold(700, 11, 12)
    first, second = ExitStack(), ExitStack()  # as of two threads, the first of which ends first
    first.enter_context(rare_collection())
    second.enter_context(rare_collection())
    first.close()
    assert gc.get_threshold()[0] == 10_000
    second.close()
    assert gc.get_threshold() == (700, 11, 12)


def test_a_search_inside_another_leaves_its_setting():
    gc.set_threshold(700, 11, 12)
    with rare_collection():
        with rare_collection():
            pass
        assert gc.get_threshold() == (10_000, 11, 12)
    assert gc.get_threshold() == (700, 11, 12)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_it_is_put_back_after_an_error(is_enabled):
    gc.set_threshold(700, 11, 12)
    (gc.enable if is_enabled else gc.disable)()
    for held in (no_collection, rare_collection):
        with pytest.raises(ZeroDivisionError), held():
            _ = 1 / 0
    assert (gc.isenabled(), gc.get_threshold()) == (is_enabled, (700, 11, 12))


def test_overlapping_readers_leave_it_on():
    gc.enable()
    first, second = ExitStack(), ExitStack()
    first.enter_context(no_collection())
    second.enter_context(no_collection())
    assert not gc.isenabled()
    first.close()
    second.close()
    assert gc.isenabled()
