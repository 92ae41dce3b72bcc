"""The public names: pinned, true, documented."""

import importlib
import inspect
import pkgutil

import pytest

import nasturtium

# A change of this list is a change for users: it needs a line in CHANGELOG.md.
PUBLIC = {
    "Decision",
    "Fidelity",
    "History",
    "Measurement",
    "NASClassifier",
    "NASRegressor",
    "Objective",
    "Proposal",
    "Study",
    "Task",
    "Trial",
    "__version__",
    "baselines",
    "benchmarks",
    "errors",
    "estimators",
    "loggers",
    "schedulers",
    "search",
    "space_from",
    "spaces",
    "strategies",
}
MODULES = [
    item.name
    for item in pkgutil.walk_packages(nasturtium.__path__, "nasturtium.")
    if not any(part.startswith("_") for part in item.name.split("."))
]


def test_top_level_names_are_pinned():
    assert set(nasturtium.__all__) == PUBLIC


@pytest.mark.parametrize("module", ["nasturtium", *MODULES])
def test_all_is_true(module):
    module = importlib.import_module(module)
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []


@pytest.mark.parametrize("module", ["nasturtium", *MODULES])
def test_public_names_have_docstrings(module):
    module = importlib.import_module(module)
    assert module.__doc__
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert inspect.getdoc(value), f"{module.__name__}.{name} has no docstring"


def test_every_room_says_what_is_public():
    rooms = [name for name in MODULES if hasattr(importlib.import_module(name), "__path__")]
    assert [room for room in rooms if not hasattr(importlib.import_module(room), "__all__")] == []
