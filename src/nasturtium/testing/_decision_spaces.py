"""The laws of decision trees: whatever ``construct`` and ``trace`` promise."""

from __future__ import annotations

import json
from itertools import islice, pairwise, zip_longest
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.spaces import (
    Architecture,
    Decision,
    Decisions,
    DecisionSpace,
    Finite,
    Networks,
    Space,
    Value,
    choice,
    real,
)
from nasturtium.testing._refusals import refusal
from nasturtium.testing._sampling import same_json, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FEW = 5_000
"""Up to how many architectures a law walks through all of them."""


def check_construct_inverts_trace(space: Space) -> None:
    """Answering as an architecture's trace does gives that architecture again."""
    if not isinstance(space, Decisions):
        return
    for a in samples(space):
        steps = space.trace(a)
        left = iter(steps)
        before: dict[str, Value] = {}

        def choose(
            decision: Decision,
            prefix: Mapping[str, Value],
            left: Iterator[tuple[Decision, Value]] = left,
            before: dict[str, Value] = before,
        ) -> Value:
            wanted, value = next(left)
            assert decision.path == wanted.path, f"asked {decision.path}, not {wanted.path}"
            assert dict(prefix) == before, f"the prefix is what was answered, got {dict(prefix)}"
            before[decision.path] = value
            return value

        assert space.construct(choose) == a, f"not the same again: {a.text}"
        assert [d.path for d, _ in steps] == list(a), f"paths come in the order asked, got {a.text}"


def check_options_are_legal(space: Space) -> None:
    """A decision's options, positions and alternatives agree."""
    for a in samples(space, 10):
        for decision, value, prefix in _steps(space, a):
            options = decision.options(prefix)
            position = decision.position(value, prefix)
            other = decision.other(value, 0.99, prefix)
            assert 0 <= position < 1, f"a position is in [0, 1), got {position}"
            decision.position(other, prefix)
            if options:
                assert value in options, f"{value!r} must be among {list(options)}"
                at = [decision.at(decision.position(o, prefix), prefix) for o in options]
                assert at == list(options), f"at(position(value)) is the value, got {at}"
                assert (other != value) == (len(options) > 1), f"{value!r} has the other {other!r}"


def check_illegal_answers_are_refused(space: Space) -> None:
    """``construct`` refuses a value that is no option, with the place's name."""
    if not isinstance(space, Decisions):
        return
    asked = [step for a in samples(space, 1) for step in space.trace(a)]
    reason = refusal(UsageError, lambda: space.construct(lambda decision, prefix: "no such value"))
    assert reason is not None or not asked, "construct must refuse what is no option"


def check_mutation_changes_one_decision(space: Space) -> None:
    """A mutation differs at one decision, and where that one opens or forbids something."""
    rng = np.random.default_rng(0)
    if isinstance(space, Decisions):
        for a in samples(space, 30):
            child = space.mutate(a, rng)
            if child != a:  # which another law allows in a space of one only
                _assert_one_apart(space, a, child)


def check_mutation_reaches_every_decision(space: Space) -> None:
    """Every decision with an alternative is changed sooner or later."""
    if not isinstance(space, Decisions) or not isinstance(space, Space):
        return
    a = samples(space, 1)[0]
    rng = np.random.default_rng(0)
    open_ = {d.path for d, _, prefix in _steps(space, a) if len(d.options(prefix)) != 1}
    changed: set[str] = set()
    for _ in range(40 * len(open_)):
        b = space.mutate(a, rng)
        changed |= {path for path in a if path in b and a[path] != b[path]}
    missed = open_ - changed
    assert not missed or space.limits, f"mutation never changes {sorted(missed)} of {a.text}"


def check_crossover_mixes_parents(space: Space) -> None:
    """A child is a member, and each of its values is one of its parents' where they are legal."""
    if not isinstance(space, DecisionSpace):
        return
    found = samples(space)
    rng = np.random.default_rng(0)
    for a, b in pairwise(found):
        child = space.crossover(a, b, rng)
        assert space._contains(child), f"a child must be of the space, got {child.text}"
        assert space.crossover(a, a, rng) == a, "a child of equal parents is equal"
        for decision, value, prefix in _steps(space, child):
            inherited = [p[decision.path] for p in (a, b) if decision.path in p]
            legal = [v for v in inherited if _is_legal(decision, v, prefix)]
            assert value in inherited or len(legal) < len(inherited) or not inherited, (
                f"{decision.path} is {value!r}, but its parents have {inherited}"
            )


def check_crossover_is_repeatable(space: Space) -> None:
    """Parents that went through JSON with sorted names give the same child."""
    if not isinstance(space, DecisionSpace):
        return
    a, b = samples(space, 2)
    first = space.crossover(a, b, np.random.default_rng(2))
    a, b = (Architecture.from_json(_sorted(parent)) for parent in (a, b))
    assert space.crossover(a, b, np.random.default_rng(2)) == first, "the order of names matters"


def check_neighbors_are_one_apart(space: Space) -> None:
    """Neighbors are distinct members, each of which differs at one decision."""
    if not isinstance(space, Decisions):
        return
    for a in samples(space, 3):
        found = space.neighbors(a)
        assert len(set(found)) == len(found), f"a neighbor of {a.text} occurs twice"
        for b in found[:100]:
            assert b in space, f"a neighbor must be a member, got {b.text}"
            assert b != a, "an architecture is not its own neighbor"
            _assert_one_apart(space, a, b)
        n_others = sum(max(len(d.options(p)) - 1, 0) for d, _, p in _steps(space, a))
        assert len(found) == n_others or space.limits, f"{n_others} neighbors, got {len(found)}"


def check_encodings_tell_apart(space: Space) -> None:
    """Positions are in [0, 1) or -1; equal ones belong to equal architectures."""
    if not isinstance(space, Decisions):
        return
    seen: dict[tuple[object, ...], Architecture] = {}
    for a in samples(space):
        code = space.encode(a)
        is_inside = bool(((code == -1) | ((code >= 0) & (code < 1))).all())
        assert code.ndim == 1, f"an encoding is a vector, got shape {code.shape}"
        assert is_inside, f"positions are in [0, 1) or -1, got {code}"
        signature = (frozenset(a), tuple(code.tolist()))
        assert seen.setdefault(signature, a) == a, f"{a.text} has the code of another"


def check_enumeration(space: Space) -> None:
    """Walking gives distinct members in a fixed order, as many as ``size`` says."""
    if not isinstance(space, Finite) or space.size == inf:
        return
    assert isinstance(space, Space), "a capability belongs to a space"
    is_small = space.size <= FEW
    found = list(space) if is_small else list(islice(space, 50))
    keys = [a.key for a in found]
    assert len(set(keys)) == len(keys), "an architecture occurs twice"
    assert all(a in space for a in found), "what is walked through are members"
    again = (a.key for a in space)
    assert all(x == y for x, y in zip_longest(islice(again, len(keys)), keys)), "the order differs"
    if is_small and not space.limits:
        assert len(found) == space.size, f"size says {space.size}, got {len(found)}"
        strange = [a for a in samples(space) if a.key not in set(keys)]
        assert not strange, f"a sample is never walked through: {strange[:1]}"


def check_text_in_any_order(space: Space) -> None:
    """``parse`` gives the same for the same decisions in another order."""
    if not isinstance(space, Decisions):
        return
    assert isinstance(space, Space), "a capability belongs to a space"
    for a in samples(space, 5):
        if type(space).text is not Space.text:
            return  # a text form of its own has an order of its own
        assert space.parse(json.dumps(_sorted(a))) == a, f"order matters for {a.text}"


def check_training_is_searched_too(space: Space) -> None:
    """Training hyper-parameters join the decisions, and leave the network alone."""
    if not isinstance(space, DecisionSpace):
        return
    bigger = space.with_training(rate=real(0.01, 0.1, log=True), flip=choice(True, False))
    for a in samples(bigger, 5):
        training = bigger.training(a)
        assert set(training) == {"rate", "flip"}, f"expected rate and flip, got {training}"
        assert a in bigger, f"a sample must be a member, got {a.text}"
        flipped = a.changed("training.flip", not training["flip"])
        assert bigger.identity(flipped) != bigger.identity(a), "another training, another candidate"
        plain = Architecture({k: v for k, v in a.items() if not k.startswith("training.")})
        assert space._contains(plain), "without the training it is of the space as it was"
        if isinstance(bigger, Networks) and isinstance(space, Networks):
            assert bigger.network(a) == space.network(plain), "training changes no network"


CHECKS: tuple[Callable[[Space], None], ...] = (
    check_construct_inverts_trace,
    check_options_are_legal,
    check_illegal_answers_are_refused,
    check_mutation_changes_one_decision,
    check_mutation_reaches_every_decision,
    check_crossover_mixes_parents,
    check_crossover_is_repeatable,
    check_neighbors_are_one_apart,
    check_encodings_tell_apart,
    check_enumeration,
    check_text_in_any_order,
    check_training_is_searched_too,
)


def _steps(space: Space, a: Architecture) -> Iterator[tuple[Decision, Value, dict[str, Value]]]:
    """Yield decision, value and what was chosen before, in order."""
    if isinstance(space, Decisions):
        prefix: dict[str, Value] = {}
        for decision, value in space.trace(a):
            yield decision, value, dict(prefix)
            prefix[decision.path] = value


def _is_legal(decision: Decision, value: Value, prefix: Mapping[str, Value]) -> bool:
    try:
        decision.position(value, prefix)
    except UsageError:
        return False
    return True


def _assert_one_apart(space: Space, a: Architecture, b: Architecture) -> None:
    """Check that two architectures differ at one decision up to what it opens or forbids."""
    changed: list[str] = []
    for decision, value, prefix in _steps(space, b):
        if decision.path in a and a[decision.path] != value:
            was_forbidden = changed and not _is_legal(decision, a[decision.path], prefix)
            if not was_forbidden:
                changed.append(decision.path)
        elif decision.path not in a:
            assert changed, f"{decision.path} is new although nothing before it differs"
    assert len(changed) == 1, f"one decision differs, got {changed} of {a.text} and {b.text}"


def _sorted(a: Architecture) -> dict[str, object]:
    data: dict[str, object] = same_json(a.to_json())
    return dict(sorted(data.items(), reverse=True))
