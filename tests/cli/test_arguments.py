"""How the command line reads values."""

import os

import pytest
import typer

from nasturtium._arguments import (
    default_workers,
    file_name,
    fresh_name,
    memory,
    n_cores,
    parse_limits,
)
from nasturtium.storage import MemoryStorage
from nasturtium.trials import Note


def test_limits_are_numbers_by_metric():
    assert parse_limits(["params=1e5", " latency_ms = 2.5 "]) == {"params": 1e5, "latency_ms": 2.5}
    assert parse_limits([]) == {}


@pytest.mark.parametrize("text", ["2", "GB", "-1GB", "0MB", "infGB", "2TB", ""])
def test_a_size_of_memory_has_a_unit(text):
    with pytest.raises(typer.BadParameter, match=r"a size in MB or GB is wanted.*write --memory 2GB"):
        memory(text)


def test_a_search_by_trials_has_one_worker_so_that_it_can_be_repeated():
    assert default_workers(30) == 1
    assert default_workers(None) == n_cores()
    assert 1 <= n_cores() <= os.cpu_count()


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("digits", "digits-1"),
        ("image-folder(path='photos', size=32)", "image-folder-1"),
        ("photos/", "photos-1"),
        ("../data/my cats.npz", "my-cats-1"),
        ("/", "study-1"),
    ],
)
def test_a_study_is_called_after_its_task(task, name):
    assert fresh_name(task, MemoryStorage()) == name


def test_a_fresh_name_is_free():
    storage = MemoryStorage()
    for name in ("digits-1", "digits-2"):
        storage.append(name, [Note("created", {})], after=0)
    assert fresh_name("digits", storage) == "digits-3"


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".hidden", "x y", "naïve"])
def test_a_name_is_made_one_of_a_folder(name):
    made = file_name(name)
    assert "/" not in made
    assert not made.startswith(".")
