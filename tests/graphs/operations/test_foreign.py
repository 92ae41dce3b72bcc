import pytest

from nasturtium.errors import RequirementError
from nasturtium.graphs import operations as o
from nasturtium.graphs.operations import _foreign


class Module:
    pass


def test_shape_and_costs_are_measured(monkeypatch):
    class Found:
        shape, params, macs = (3,), 5, 7

    seen = []

    def measure(*call):
        seen.append(call)
        return Found

    monkeypatch.setattr(_foreign, "_measure", [measure])
    op = o.Foreign(Module, (("width", 4),))
    assert (op.shape((2,)), op.params((2,)), op.macs((2,))) == ((3,), 5, 7)
    assert seen[0] == (Module, (("width", 4),), ((2,),))


def test_without_torch_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(_foreign, "_measure", [])
    with pytest.raises(RequirementError, match="measuring Module needs torch"):
        o.Foreign(Module).shape((2,))


def test_it_has_no_symbol():
    with pytest.raises(RequirementError, match="no symbol"):
        o.Foreign(Module).symbol((2,))
