"""Copies of users' classes and functions, and when there can be none."""

import sys

import pytest
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.export import source_of
from nasturtium.export._copy import Copy, is_installed
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.networks import build

MODULE = '''
from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (1, 2)


class Counter:
    def __len__(self):
        return 2


COUNTER = Counter()


def doubled(x: Tensor) -> Tensor:
    return F.relu(x) * len(SIZES)


class Base(nn.Module):
    def extra(self, x):
        return doubled(x) + math.pi


class Block(Base):
    """A block with all that a class may use."""

    def __init__(self, in_channels: int, width: int = 4, act: type = nn.ReLU, more: Sequence = ()):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1)
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.extra(self.conv(x)))


class Bound(nn.Module):
    def forward(self, x):
        return x * len(COUNTER)


class Network(nn.Module):
    def forward(self, x):
        return x + 1


def closing(factor):
    class Local(nn.Module):
        def forward(self, x):
            return x * factor

    return Local
'''


@pytest.fixture
def users(tmp_path, monkeypatch):
    """Return a user's module."""
    (tmp_path / "users_blocks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("users_blocks")
    del sys.modules["users_blocks"]


def single(module, **options):
    b = Builder()
    op = o.Foreign(module, tuple(options.items()))
    return b.graph(b.add("own", op, b.input("image", (3, 6, 6))))


def test_a_class_is_copied_with_all_that_it_uses(users, same):
    graph = single(users.Block, width=5, act=nn.Tanh)
    source = source_of(graph)
    same(source, build(graph))
    assert "users_blocks" not in source
    for line in (
        "SIZES = (1, 2)",
        "def doubled(x: Tensor) -> Tensor:",
        "class Base(nn.Module):",
        "import math",
        "import torch.nn.functional as F",
        "from torch import Tensor",
        "self.own = Block(in_channels=3, width=5, act=nn.Tanh)",
    ):
        assert line in source, line


def test_what_cannot_be_copied_is_imported(users, same):
    graph = single(users.Bound)
    source = source_of(graph)
    assert "from users_blocks import Bound  # keep it importable" in source
    same(source, build(graph))


def test_a_name_that_is_taken_gets_another_one(users, same):
    graph = single(users.Network)
    source = source_of(graph)
    assert "from users_blocks import Network as UsersNetwork" in source
    same(source, build(graph))


def test_a_closure_is_refused(users):
    with pytest.raises(UsageError, match=r"closing.<locals>.Local.*can't be copied"):
        source_of(single(users.closing(3)))


def test_layers_of_torch_are_neither(same):
    graph = single(nn.Dropout2d, p=0.25)
    source = source_of(graph)
    assert "self.own = nn.Dropout2d(p=0.25)" in source
    same(source, build(graph))


def test_a_class_of_a_test_is_copied():
    class Inner(nn.Module):
        def forward(self, x):
            return x

    assert "class Inner(nn.Module):" in source_of(single(Inner))


def test_what_is_installed(users):
    assert is_installed(nn.Conv2d)
    assert is_installed(sys)
    assert is_installed(int)
    assert not is_installed(users.Block)
    assert not is_installed(source_of)


def test_a_failed_copy_changes_nothing(users):
    named = {"nn": nn}
    assert not Copy(named).take("Bound", users.Bound)
    assert named == {"nn": nn}
