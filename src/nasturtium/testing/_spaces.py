"""The laws of search spaces; third parties run them over their own.

@pytest.mark.parametrize(("name", "check"), space_checks())
def test_law(name, check):
    check(MySpace().on(task))

A law about a capability holds of itself for a space without it.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from functools import partial

import cloudpickle
import numpy as np

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces import SPACES, Architecture, Networks, Space
from nasturtium.testing import _decision_spaces, _network_spaces
from nasturtium.testing._processes import elsewhere
from nasturtium.testing._refusals import refusal
from nasturtium.testing._running import untouched_generators
from nasturtium.testing._sampling import same_json, samples

SpaceCheck = Callable[[Space], None]
"""A law: raises AssertionError if the bound space that it is given breaks it."""


def space_checks() -> Iterator[tuple[str, SpaceCheck]]:
    """Yield every law with its name."""
    for check in (*CHECKS, *_decision_spaces.CHECKS, *_network_spaces.CHECKS):
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def check_space(space: Space) -> None:
    """Check every law.

    Raises:
        AssertionError: The first law that is broken.
    """
    for _, check in space_checks():
        check(space)


def check_samples_are_members(space: Space) -> None:
    """What is drawn is in the space."""
    for a in samples(space):
        assert a in space, f"a sample must be a member, got {a.text}"


def check_strangers_are_no_members(space: Space) -> None:
    """Other objects and other spaces' architectures are not in the space."""
    strangers: list[object] = [None, "text", {}, Architecture({"no such decision": 0})]
    for stranger in strangers:
        assert stranger not in space, f"{stranger!r} must be no member"
    for a in samples(space, 3):
        bigger = Architecture({**a, "no such decision": 0})
        assert bigger not in space, f"what nobody asks for must not be set, got {bigger.text}"


def check_sampling_is_repeatable(space: Space) -> None:
    """The same state of the generator gives the same sample; another seed gives others."""
    assert samples(space, 10, seed=1) == samples(space, 10, seed=1), "samples must be repeatable"
    n_kinds = len(set(samples(space, 10, seed=1)))
    differ = samples(space, 10, seed=1) != samples(space, 10, seed=2)
    assert differ or n_kinds == 1, "another seed must give other samples"


def check_global_generators_are_untouched(space: Space) -> None:
    """Sampling and mutating draw from the generator that is handed in, and no other."""
    with untouched_generators():
        for a in samples(space, 3):
            space.mutate(a, np.random.default_rng(0))


def check_mutations_are_members(space: Space) -> None:
    """A mutation is a member and, in a space of more than one, differs from its origin."""
    rng = np.random.default_rng(0)
    origins = samples(space)
    for a in origins:
        text = a.text
        child = space.mutate(a, rng)
        assert child in space, f"a mutation must be a member, got {child.text}"
        assert child != a or len(set(origins)) == 1, f"a mutation must differ from {a.text}"
        assert a.text == text, "the origin must stay as it was"


def check_mutation_is_repeatable(space: Space) -> None:
    """The same state of the generator gives the same mutation, of an equal origin too."""
    for a in samples(space, 5):
        again = Architecture.from_json(same_json(a.to_json()))
        first = space.mutate(a, np.random.default_rng(3))
        second = space.mutate(again, np.random.default_rng(3))
        assert first == second, f"mutations of {a.text} differ"


def check_json_round_trip(space: Space) -> None:
    """JSON gives back an equal architecture with the same hash, key and order."""
    for a in samples(space):
        again = Architecture.from_json(same_json(a.to_json()))
        assert again == a, f"JSON changes {a.text}"
        assert hash(again) == hash(a), "equal architectures have one hash"
        assert again.key == a.key, "equal architectures have one key"
        assert again in space, f"it must stay a member, got {again.text}"
        copy = pickle.loads(pickle.dumps(a))
        assert copy == a, f"a pickle changes {a.text}"


def check_text_round_trip(space: Space) -> None:
    """``parse`` reads what ``text`` writes."""
    for a in samples(space):
        assert space.parse(space.text(a)) == a, f"not the same again: {space.text(a)}"


def check_text_of_others_is_refused(space: Space) -> None:
    """``parse`` refuses what is no member in one line."""
    for text in ("", "[]", "17", "null", '{"no such decision": 0}', "{"):
        reason = refusal(UsageError, partial(space.parse, text))
        assert reason is not None, f"parse({text!r}) must be refused"


def check_same_in_another_process(space: Space) -> None:
    """Samples, keys and identities do not depend on the process or its hash seed."""
    assert elsewhere(describe_samples, space) == describe_samples(space)


def check_identities_are_stable(space: Space) -> None:
    """Equal architectures have one identity."""
    for a in samples(space, 5):
        again = Architecture.from_json(same_json(a.to_json()))
        assert space.identity(again) == space.identity(a), f"two identities of {a.text}"


def check_equal_by_arguments(space: Space) -> None:
    """A pickled space is equal, has one hash, and draws the same."""
    again = cloudpickle.loads(cloudpickle.dumps(space))
    assert samples(again, 5) == samples(space, 5), "a pickled space must draw the same"
    if "opaque" not in SPACES.describe(space):
        assert again == space, "a pickled space must be equal"
        assert hash(again) == hash(space), "equal spaces must have one hash"


def check_described_and_restored(space: Space) -> None:
    """A registered space is made again from what the log stores of it."""
    described = SPACES.describe(space)
    if SPACES.name_of(type(space)) is None or "opaque" in described:
        return
    restored = SPACES.restore(same_json(described))
    assert restored == space, f"not the same again: {described}"


def check_training_is_plain(space: Space) -> None:
    """``training`` gives names and JSON values."""
    for a in samples(space, 3):
        json.dumps(dict(space.training(a)))


def check_limits_without_networks_are_refused(space: Space) -> None:
    """A space without networks has no costs to limit, and says so."""
    if space.supports(Networks):
        return
    for call in (lambda: space.limited(params=10), lambda: space.graph(samples(space, 1)[0])):
        reason = refusal(RequirementError, call)
        assert reason is not None, "a space without networks must refuse limits and graphs"


CHECKS: tuple[SpaceCheck, ...] = (
    check_samples_are_members,
    check_strangers_are_no_members,
    check_sampling_is_repeatable,
    check_global_generators_are_untouched,
    check_mutations_are_members,
    check_mutation_is_repeatable,
    check_json_round_trip,
    check_text_round_trip,
    check_text_of_others_is_refused,
    check_same_in_another_process,
    check_identities_are_stable,
    check_equal_by_arguments,
    check_described_and_restored,
    check_training_is_plain,
    check_limits_without_networks_are_refused,
)


def describe_samples(space: Space) -> list[tuple[str, str, str]]:
    """Return text, key and identity of a few samples and mutations; called elsewhere too."""
    rng = np.random.default_rng(5)
    found = samples(space, 5)
    found += [space.mutate(a, rng) for a in found]
    return [(space.text(a), a.key, space.identity(a)) for a in found]
