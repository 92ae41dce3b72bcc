"""Names for components."""

import json
from dataclasses import dataclass, field

import pytest

from nasturtium._registry import Registry, parse_call, tuples
from nasturtium.errors import UnknownNameError, UsageError
from nasturtium.estimators import ESTIMATORS, Function
from nasturtium.spaces import SPACES, NASNet
from nasturtium.strategies import STRATEGIES, RandomSearch, RegularizedEvolution


class Pot:
    """What the registry of these tests holds."""


@dataclass(frozen=True)
class Clay(Pot):
    size: int = 3
    colors: tuple[str, ...] = ("red",)
    label: str | None = None


@dataclass(frozen=True)
class Tin(Pot):
    depth: int

    def __post_init__(self):
        if not self.depth > 0:
            raise UsageError(f"depth is positive, got {self.depth}; raise it.")


@pytest.fixture
def pots():
    registry = Registry("pot", "nasturtium.test-pots")
    registry.register("clay")(Clay)
    registry.register("tin")(Tin)
    return registry


# --- names ---------------------------------------------------------------------------------------


def test_names_are_sorted_and_lead_to_classes(pots):
    assert pots.names() == ["clay", "tin"]
    assert list(pots) == [("clay", Clay), ("tin", Tin)]
    assert pots.get("tin") is Tin
    assert pots.name_of(Clay) == "clay"
    assert pots.name_of(Pot) is None


def test_an_unknown_name_offers_near_matches(pots):
    with pytest.raises(UnknownNameError) as error:
        pots.get("clai")
    assert str(error.value) == "unknown pot 'clai'; did you mean 'clay'? Known: clay, tin."
    assert isinstance(error.value, KeyError)


def test_a_name_is_taken_once(pots):
    with pytest.raises(UsageError, match="pot names are unique, got 'clay' for"):
        pots.register("clay")(Tin)


def test_a_module_that_is_imported_again_may_register_again(pots):
    again = type("Clay", (Pot,), {"__module__": Clay.__module__, "__qualname__": "Clay"})
    assert pots.register("clay")(again) is again


def test_a_deferred_module_is_imported_when_its_name_is_looked_up():
    assert "training" in ESTIMATORS.names()
    assert ESTIMATORS.get("training").__name__ == "Training"


# --- making --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clay", Clay()),
        ("clay()", Clay()),
        (" clay ( size = 4 ) ", Clay(4)),
        ("clay(colors=('a', 'b'), label=None)", Clay(colors=("a", "b"))),
        ("clay(colors=['a', 'b'])", Clay(colors=("a", "b"))),
        ("clay(size=-1, label='it\\'s')", Clay(-1, label="it's")),
        ("tin(depth=2)", Tin(2)),
    ],
)
def test_a_text_makes_a_component(pots, text, expected):
    assert pots.create(text) == expected


def test_defaults_fill_in_what_a_class_takes_and_the_text_leaves_out(pots):
    assert pots.create("clay", size=7, depth=9) == Clay(7)
    assert pots.create("clay(size=1)", size=7) == Clay(1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a component is a name or a call, got ''"),
        ("clay(", r"a component is a name or a call, got 'clay\('"),
        ("clay(size=)", "a component is a name or a call"),
        ("clay(3)", "a component's arguments have names"),
        ("clay(**{'size': 3})", "a component's arguments have names"),
        ("clay(size=1)(size=2)", "a component"),
        ("clay(size=1) + tin(depth=2)", "a component"),
        ("clay(label=red)", "quote"),
        ("clay(sise=3)", "pot 'clay' takes no argument 'sise'; did you mean 'size'"),
        ("tin", r"pot 'tin' needs 'depth'; write tin\(depth=...\)"),
        ("tin(depth=-1)", "depth is positive, got -1"),
        ("tin(depth='deep')", "pot 'tin': .*check the types"),
        ("glass", "unknown pot 'glass'"),
    ],
)
def test_a_wrong_text_is_refused_in_one_line(pots, text, message):
    with pytest.raises(UsageError, match=message) as error:
        pots.create(text)
    assert "\n" not in str(error.value)


def test_parse_call_gives_name_and_arguments():
    assert parse_call("x") == ("x", {})
    assert parse_call("x-y(a=1, b=(1, 2.5, None))") == ("x-y", {"a": 1, "b": (1, 2.5, None)})


def test_lists_count_as_tuples_at_any_depth():
    assert tuples([1, [2, {"a": [3]}]]) == (1, (2, {"a": (3,)}))


# --- storing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pot", [Clay(), Clay(4, ("a", "b"), "x"), Tin(9)])
def test_what_is_described_is_restored(pots, pot):
    described = json.loads(json.dumps(pots.describe(pot)))
    assert described["version"] == 1
    assert pots.restore(described) == pot


def test_an_argument_without_json_makes_a_component_opaque(pots):
    described = pots.describe(Clay(label=lambda: None))
    assert set(described) >= {"opaque"}
    assert described["opaque"].endswith("Clay")
    with pytest.raises(UsageError, match="a stored pot must be a registered one, got .*Clay"):
        pots.restore(described)


def test_a_component_without_a_name_is_opaque(pots):
    @dataclass(frozen=True)
    class Glass(Pot):
        size: int = 3

    assert "Glass" in pots.describe(Glass())["opaque"]


def test_two_opaque_components_of_other_arguments_are_told_apart(pots):
    one, two = (pots.describe(Clay(label=lambda n=n: n)) for n in (1, 2))
    assert one != two


def test_another_version_is_refused(pots, monkeypatch):
    described = pots.describe(Clay())
    monkeypatch.setattr(Clay, "version", 2, raising=False)
    with pytest.raises(UsageError, match="stored as version 1, this release has version 2"):
        pots.restore(described)


@pytest.mark.parametrize(
    ("registry", "component"),
    [
        (STRATEGIES, RandomSearch()),
        (STRATEGIES, RegularizedEvolution(10, 3, repeats="allow")),
        (SPACES, NASNet(cells=2, operations=("identity", "conv_3"))),
    ],
)
def test_the_packages_components_survive_the_log(registry, component):
    assert registry.restore(json.loads(json.dumps(registry.describe(component)))) == component


def test_a_function_is_opaque():
    assert "Function" in ESTIMATORS.describe(Function(lambda a: {}))["opaque"]


@dataclass
class _Entry:
    loaded: list = field(default_factory=list)

    def load(self):
        self.loaded.append(1)


def test_plug_ins_are_loaded_once_and_only_when_they_are_needed(monkeypatch):
    entry = _Entry()
    monkeypatch.setattr("nasturtium._registry.entry_points", lambda group: [entry])
    registry = Registry("pot", "nasturtium.test-pots")
    registry.register("clay")(Clay)
    registry.get("clay")
    assert entry.loaded == []
    registry.names()
    with pytest.raises(UnknownNameError):
        registry.get("tin")
    assert entry.loaded == [1]
