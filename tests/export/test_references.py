"""How generated source names classes and functions, and writes values."""

import pytest
import torch
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.export._references import References, quoted


class Block(nn.Module):
    def forward(self, x):
        return x


def test_a_copied_class_is_defined_once():
    references = References()
    assert [references.name(Block) for _ in range(2)] == ["Block", "Block"]
    assert len(references.definitions) == 1
    assert "Block" in references.names


def test_two_classes_of_one_name_do_not_mix():
    references = References()
    references.name(Block)
    other = type("Block", (nn.Module,), {"__module__": __name__})
    assert references.name(other) == "UsersBlock"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        ("it's", '"it\'s"'),
        ((1,), "(1,)"),
        ([1, "a"], '[1, "a"]'),
        ({"a": (1, 2)}, '{"a": (1, 2)}'),
        (float("inf"), 'float("inf")'),
        (None, "None"),
        (torch.float16, "torch.float16"),
        (nn.GELU, "nn.GELU"),
        (torch.nn.functional.relu, "functional.relu"),
        (torch.sin, "torch.sin"),
        (int, "int"),
    ],
)
def test_literals(value, text):
    assert References().literal(value) == text
    names = {"torch": torch, "nn": nn, "functional": torch.nn.functional}
    assert eval(text, names) == value


def test_other_values_are_refused():
    with pytest.raises(UsageError, match="literals, classes or functions, got tensor"):
        References().literal(torch.zeros(2))


def test_quotes():
    assert quoted('say "hi"') == "'say \"hi\"'"
