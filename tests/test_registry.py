"""Names for components."""

import json
from dataclasses import dataclass, field, make_dataclass

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

    def __post_init__(self):
        len(self.colors)


@dataclass(frozen=True)
class Tin(Pot):
    depth: int

    def __post_init__(self):
        if not self.depth > 0:
            raise UsageError(f"depth is positive, got {self.depth}; raise it.")


Tub = make_dataclass("Tub", [("width", float, 1.0)], bases=(Pot,), frozen=True)
"""Annotated by a type, as in a module without postponed annotations."""


@pytest.fixture
def pots():
    registry = Registry("pot", "nasturtium.test-pots")
    registry.register("clay")(Clay)
    registry.register("tin")(Tin)
    registry.register("tub", is_listed=False)(Tub)
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
        ("tub(width=2)", Tub(2)),
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
        ("tin(depth='deep')", "pot 'tin' takes depth as int, got 'deep'; write another"),
        ("tin(depth=1.5)", "pot 'tin' takes depth as int, got 1.5"),
        ("tin(depth=True)", "pot 'tin' takes depth as int, got True"),
        ("clay(label=3)", "pot 'clay' takes label as str or None, got 3"),
        ("tub(width='wide')", "pot 'tub' takes width as float, got 'wide'"),
        ("clay(colors=3)", "pot 'clay': .*check the types"),
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
    with pytest.raises(UsageError, match=r"a stored pot must be a registered one, got .*Clay"):
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
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [entry])
    registry = Registry("pot", "nasturtium.test-pots")
    registry.register("clay")(Clay)
    registry.get("clay")
    assert entry.loaded == []
    registry.names()
    with pytest.raises(UnknownNameError):
        registry.get("tin")
    assert entry.loaded == [1]


# --- defaults ------------------------------------------------------------------------------------


def test_arguments_equal_to_their_defaults_are_not_stored(pots):
    assert pots.describe(Clay())["arguments"] == {}
    assert pots.describe(Clay(3, ["red"]))["arguments"] == {}
    assert pots.describe(Clay(size=4))["arguments"] == {"size": 4}
    assert pots.describe(Clay(size=3.0))["arguments"] == {"size": 3.0}
    assert pots.describe(Clay(size=True))["arguments"] == {"size": True}


def test_a_new_argument_with_a_default_changes_no_stored_form():
    def release(*names):
        registry = Registry("pot", "nasturtium.test-pots")
        fields = [(name, int, field(default=1)) for name in names]
        cls = make_dataclass("Jar", fields, frozen=True)
        registry.register("jar")(cls)
        return registry, cls

    old, old_jar = release("size")
    new, new_jar = release("size", "depth")
    stored = old.describe(old_jar(5))
    assert new.describe(new_jar(5)) == stored
    assert new.restore(stored) == new_jar(5, 1)
    assert pots_digest(old_jar(len)) == pots_digest(new_jar(len))


def pots_digest(jar):
    return Registry("pot", "nasturtium.test-pots").describe(jar)["digest"]


# --- components inside components ----------------------------------------------------------------


@dataclass(frozen=True)
class Shelf(Pot):
    pots: tuple[Pot, ...] = ()
    best: object = None


@pytest.fixture
def shelves(monkeypatch):
    monkeypatch.setattr("nasturtium._registry.REGISTRIES", {})
    pots, shelves = (Registry(kind, f"nasturtium.test-{kind}s") for kind in ("pot", "shelf"))
    pots.register("clay")(Clay)
    pots.register("tin-pot")(Tin)
    shelves.register("shelf")(Shelf)
    return shelves


@pytest.mark.parametrize(
    "shelf",
    [Shelf((Clay(4), Tin(2)), Clay()), Shelf(best=Shelf((Tin(1),))), Shelf(best={"a": [Clay(2), 3]})],
)
def test_components_inside_components_are_stored_and_made_again(shelves, shelf):
    described = json.loads(json.dumps(shelves.describe(shelf)))
    again = shelves.restore(described)
    assert shelves.describe(again) == described
    assert shelf.best == again.best or isinstance(shelf.best, dict)
    assert again.pots == shelf.pots


def test_the_kind_of_an_inner_component_is_stored(shelves):
    described = shelves.describe(Shelf(best=Clay(4)))
    inner = {"component": "pot", "name": "clay", "version": 1, "arguments": {"size": 4}}
    assert described["arguments"] == {"best": inner}
    with pytest.raises(UsageError, match="unknown kind of component 'glass'"):
        shelves.restore({**described, "arguments": {"best": {**inner, "component": "glass"}}})


def test_an_opaque_component_inside_makes_the_outer_one_opaque(shelves):
    one, two, same = (shelves.describe(Shelf(best=Clay(label=lambda n=n: n))) for n in (1, 2, 1))
    assert "opaque" in one
    assert one != two
    assert one == same


def test_a_text_may_hold_calls_of_components(shelves):
    assert shelves.create("shelf(best=clay(size=4))") == Shelf(best=Clay(4))
    assert shelves.create("shelf(pots=(tin-pot(depth=1), clay()), best=shelf(best=1))") == Shelf(
        (Tin(1), Clay()), Shelf(best=1)
    )
    with pytest.raises(UnknownNameError, match="unknown component 'clai'; did you mean 'clay'"):
        shelves.create("shelf(best=clai())")
    with pytest.raises(UsageError, match="are literals, got best=clay; quote strings"):
        shelves.create("shelf(best=clay)")
    with pytest.raises(UsageError, match="pot 'tin-pot' needs 'depth'"):
        shelves.create("shelf(best=tin-pot())")


def test_a_name_of_two_kinds_is_ambiguous_inside(shelves):
    shelves.register("clay")(Pot)
    with pytest.raises(UsageError, match="of one kind, got 'clay', a pot, shelf"):
        shelves.create("shelf(best=clay())")


def test_an_unlisted_name_is_found_but_not_shown(pots):
    pots.register("sherd", is_listed=False)(Shelf)
    assert "sherd" not in pots.names()
    assert pots.get("sherd") is Shelf
    assert pots.restore(pots.describe(Shelf())) == Shelf()


def test_two_classes_of_one_qualified_name_are_told_apart(pots):
    other = dataclass(frozen=True)(type("Clay", (), {"__module__": "elsewhere"}))
    with pytest.raises(UsageError, match=r"got 'clay' for elsewhere.Clay"):
        pots.register("clay")(other)
