"""Digests: by content, equal in every process."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from nasturtium._digest import digest


@dataclass
class Box:
    content: object
    memo: dict = field(default_factory=dict, compare=False)


class Plain:
    def __init__(self, size, *, color="red"):
        self.size = size
        self.n_calls = 0

    def method(self):
        return self.size


def made(n):
    return lambda x: x + n


def double(x):
    return 2 * x


def triple(x):
    return 3 * x


VALUES = [
    None,
    0,
    False,
    0.0,
    -0.0,
    1,
    True,
    "1",
    b"1",
    float("nan"),
    (1, 2),
    [1, 2],
    (2, 1),
    ((1,), 2),
    (1, (2,)),
    {1, 2},
    {"a": 1},
    {"a": 2},
    np.arange(3),
    np.arange(3.0),
    np.arange(3)[:, None],
    np.array(["a", None], dtype=object),
    np.float64(1),
    int,
    Box,
    Plain,
    double,
    triple,
    lambda x: 2 * x,
    lambda x, y=1: 2 * x,
    lambda x, y=2: 2 * x,
    lambda x: x in {"a", "b"},
    lambda x: x in {"a", "c"},
    made(1),
    made(2),
    functools.partial(made, 1),
    functools.partial(made, 2),
    len,
    Box(1),
    Box(2),
    Box([double]),
    Plain(1),
    Plain(2),
    Plain(1).method,
    Plain(2).method,
]


def test_what_differs_has_another_digest():
    digests = [digest(value) for value in VALUES]
    assert len(set(digests)) == len(digests)
    assert {len(d) for d in digests} == {16}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"x", "y", "z"}, {"z", "y", "x"}),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (made(3), made(3)),
        (Box(1, {"memo": 1}), Box(1)),
        (Box(made(3)), Box(made(3))),
    ],
)
def test_equal_content_has_one_digest(one, other):
    assert digest(one) == digest(other)


def test_what_changes_while_a_program_runs_does_not_count():
    calls = []
    before = digest(lambda x: calls.append(x))
    counter = Plain(1)
    first = digest(counter)
    calls.append(1)
    counter.n_calls = 7
    assert digest(counter) == first

    def again(calls):
        return digest(lambda x: calls.append(x)), digest(lambda x: calls.append(x) or x)

    assert len({before, *again([1])}) == 3  # other functions
    assert again([1]) == again([2, 3])


def test_cycles_end():
    loop = [1]
    loop.append(loop)
    other = [2]
    other.append(other)
    assert digest(loop) != digest(other)

    def recursive(n):
        return recursive(n - 1) if n else 0

    assert digest(recursive)


def test_tensors_count_by_their_values():
    torch = pytest.importorskip("torch")
    one, two = torch.ones(3, requires_grad=True), torch.zeros(3)
    assert digest(one) == digest(torch.ones(3)) != digest(two)
    assert digest(torch.ones(3, dtype=torch.bfloat16)) != digest(torch.ones(3))


CODE = """
import numpy as np
from dataclasses import dataclass
from nasturtium._digest import digest

@dataclass(frozen=True)
class Box:
    content: object

def made(n):
    return lambda x: (x + n, {"a", "b", "c"}, [y for y in x if y in {"p", "q", "r"}])

class Plain:
    def __init__(self, size):
        self.size = size

print(digest([Box(made(3)), {"a", "b", 1}, {"x": np.arange(4)}, Plain, Plain({1: "one"}), object()]))
"""


def test_it_is_the_same_in_every_process():
    found = {
        subprocess.run(
            [sys.executable, "-c", CODE],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
    assert len(found.pop().strip()) == 16


def test_a_scripts_class_is_the_same_in_a_worker_process():
    here = type("C", (), {"__module__": "__main__"})
    there = type("C", (), {"__module__": "__mp_main__"})
    assert digest(here) == digest(there) != digest(type("C", (), {"__module__": Path(__file__).stem}))
