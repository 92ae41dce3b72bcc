"""The laws of spaces bite: each is broken by a space that does one thing wrong."""

import random
from dataclasses import dataclass, replace

import numpy as np
import pytest

from nasturtium.graphs import Builder, Deepen, Graph
from nasturtium.graphs import operations as o
from nasturtium.spaces import (
    Architecture,
    Chain,
    DecisionSpace,
    Edits,
    Finite,
    Morphism,
    Networks,
    Space,
    choice,
)
from nasturtium.spaces._tree import Categorical, Choice, Group
from nasturtium.testing import Shapes, check_space, space_checks

LAWS = dict(space_checks())
SHAPES = Shapes()


@dataclass(frozen=True, kw_only=True)
class Bits(Space):
    """Four bits, which the others spoil."""

    def _sample(self, rng):
        return Architecture({"bits": tuple(rng.integers(2, size=4).tolist())})

    def _mutate(self, architecture, rng):
        bits = list(architecture["bits"])
        place = int(rng.integers(4))
        bits[place] = 1 - bits[place]
        return Architecture({"bits": tuple(bits)})

    def _contains(self, architecture):
        bits = architecture.get("bits")
        is_whole = isinstance(bits, tuple) and len(bits) == 4 and set(bits) <= {0, 1}
        return len(architecture) == 1 and is_whole


class SamplesStrangers(Bits):
    def _sample(self, rng):
        return Architecture({"bits": (2, 2, 2, 2)})


class ContainsEverything(Bits):
    def _contains(self, architecture):
        return True


class DrawsFromAGlobalGenerator(Bits):
    def _sample(self, rng):
        random.random()
        return super()._sample(rng)


class SamplesWithoutTheGenerator(Bits):
    def _sample(self, rng):
        return super()._sample(np.random.default_rng())


class MutatesToTheSame(Bits):
    def _mutate(self, architecture, rng):
        return architecture


class MutatesWithoutTheGenerator(Bits):
    def _mutate(self, architecture, rng):
        return super()._mutate(architecture, np.random.default_rng())


class HasLists(Bits):
    def _sample(self, rng):
        return Architecture({"bits": super()._sample(rng)["bits"], "more": {"x": [1]}})

    def _contains(self, architecture):
        return architecture.get("more") == {"x": [1]}


class WritesAnotherText(Bits):
    def text(self, architecture):
        return '{"bits":[0,0,0,0]}'


class ParsesEverything(Bits):
    def parse(self, text):
        return Architecture({"bits": (0, 0, 0, 0)})


class DependsOnTheHashSeed(Bits):
    def _sample(self, rng):
        # Many draws of many bits: one alone would be the same in one of 16 processes.
        return super()._sample(np.random.default_rng([hash("salt") % 10**6, int(rng.integers(10**6))]))


ADDRESSES: list[int] = []


class SamplesByAddress(Bits):
    def _sample(self, rng):
        if id(self) not in ADDRESSES:
            ADDRESSES.append(id(self))
        return list(self)[ADDRESSES.index(id(self)) % self.size]


class TrainsWithoutJson(Bits):
    def training(self, architecture):
        return {"rate": {1}}


@dataclass(frozen=True, kw_only=True)
class Letters(DecisionSpace):
    """Three letters, which the others spoil."""

    @property
    def root(self):
        return Group(tuple((f"d{i}", choice("a", "b", "c")) for i in range(3)))


class MutatesTwoDecisions(Letters):
    def _mutate(self, architecture, rng):
        return super()._mutate(super()._mutate(architecture, rng), rng)


class NeverMutatesTheLast(Letters):
    def _mutate(self, architecture, rng):
        child = super()._mutate(architecture, rng)
        return child if child["d2"] == architecture["d2"] else self._mutate(architecture, rng)


class ConstructsBackwards(Letters):
    def construct(self, choose):
        return Architecture(dict(reversed(super().construct(choose).items())))


class AcceptsEveryAnswer(Letters):
    def construct(self, choose):
        values = {f"d{i}": None for i in range(3)}
        for path in values:
            values[path] = choose(Categorical(path, ("a", "b", "c")), values)
        return Architecture(values)


class Shifted(Choice):
    def decide(self, path, ask):
        ask(_ShiftedDecision(path, self.values))


@dataclass(frozen=True)
class _ShiftedDecision:
    path: str
    values: tuple

    def options(self, prefix):
        return self.values

    def at(self, position, prefix):
        return self.values[int(position * len(self.values)) - 1]

    def position(self, value, prefix):
        return (self.values.index(value) + 0.5) / len(self.values)

    def other(self, value, position, prefix):
        return self.values[self.values.index(value) - 1]


class HasInconsistentPositions(Letters):
    @property
    def root(self):
        return Group((("d0", Shifted(("a", "b", "c"))),))


class CrossesToSomethingElse(Letters):
    def crossover(self, a, b, rng):
        return self._sample(rng)


class CrossesByOrder(Letters):
    def crossover(self, a, b, rng):
        return self._drawn({p: a[p] if rng.random() < 0.5 else b[p] for p in a}, rng)


class HasFarNeighbors(Letters):
    def neighbors(self, architecture):
        return list(self)


class EncodesAllAlike(Letters):
    def encode(self, architecture):
        return np.zeros(3)


class CountsWrong(Letters):
    @property
    def size(self):
        return 28


class WalksTwice(Letters):
    def __iter__(self):
        return iter([*super().__iter__(), *super().__iter__()])


class ReadsInTheGivenOrder(Letters):
    def _read(self, data):
        return Architecture.from_json(data)


class ForgetsTraining(Letters):
    def training(self, architecture):
        return {}


@dataclass(frozen=True, kw_only=True)
class Widths(Space, Networks):
    """Networks of one layer, which the others spoil."""

    shapes: Shapes = SHAPES

    def on(self, task):
        return replace(self, shapes=Shapes(task.input_shape, task.n_outputs))

    def _sample(self, rng):
        return Architecture({"out": int(rng.integers(1, 9))})

    def _mutate(self, architecture, rng):
        out = architecture["out"]
        return Architecture({"out": out - 1 if out > 1 else 2})

    def _contains(self, architecture):
        return list(architecture) == ["out"] and architecture["out"] in range(1, 9)

    def network(self, architecture):
        b = Builder()
        x = b.add("conv", o.Conv2d(architecture["out"]), b.input("x", self.shapes.input_shape))
        return b.graph(b.add("head", o.Linear(self.shapes.n_outputs), b.add("p", o.GlobalPool(), x)))


class HasWrongShapes(Widths):
    def network(self, architecture):
        graph = super().network(architecture)
        return Graph(tuple(n for n in graph.nodes if n.name != "head"), ("p",))


class NamesNetworksByCalls(Widths):
    def network(self, architecture):
        graph = super().network(architecture)
        NETWORKS.append(graph)
        node = replace(graph.nodes[1], name=f"conv_{len(NETWORKS)}")
        rest = [replace(n, edges=tuple(_from(e, node) for e in n.edges)) for n in graph.nodes[2:]]
        return Graph((graph.nodes[0], node, *rest), graph.outputs)


NETWORKS: list[Graph] = []


def _from(edge, node):
    return replace(edge, source=node.name) if edge.source == "conv" else edge


class IgnoresLimits(Widths):
    def sample(self, rng):
        return self._sample(rng)


class TakesAnyLimit(Widths):
    def limited(self, **limits):
        return self


class OpensToAnother(Chain):
    def open_graph(self):
        return replace(self, stages=self.stages - 1)._open_graph()


class LosesNames(Morphism):
    def apply(self, architecture, edit):
        return self.start()


class HasEditsWithoutJson(Morphism):
    def edits(self, architecture):
        return [_Deepen(edit) for edit in super().edits(architecture)]


@dataclass(frozen=True)
class _Deepen:
    edit: Deepen

    def apply(self, graph):
        return self.edit.apply(graph)


class MutatesByTwoEdits(Morphism):
    def _mutate(self, architecture, rng):
        return super()._mutate(super()._mutate(architecture, rng), rng)


BROKEN = [
    (SamplesStrangers, "samples-are-members"),
    (ContainsEverything, "strangers-are-no-members"),
    (SamplesWithoutTheGenerator, "sampling-is-repeatable"),
    (DrawsFromAGlobalGenerator, "global-generators-are-untouched"),
    (MutatesToTheSame, "mutations-are-members"),
    (MutatesWithoutTheGenerator, "mutation-is-repeatable"),
    (HasLists, "json-round-trip"),
    (WritesAnotherText, "text-round-trip"),
    (ParsesEverything, "text-of-others-is-refused"),
    (DependsOnTheHashSeed, "same-in-another-process"),
    (NamesNetworksByCalls, "networks-are-repeatable"),
    (SamplesByAddress, "equal-by-arguments"),
    (TrainsWithoutJson, "training-is-plain"),
    (ConstructsBackwards, "construct-inverts-trace"),
    (HasInconsistentPositions, "options-are-legal"),
    (AcceptsEveryAnswer, "illegal-answers-are-refused"),
    (MutatesTwoDecisions, "mutation-changes-one-decision"),
    (NeverMutatesTheLast, "mutation-reaches-every-decision"),
    (CrossesToSomethingElse, "crossover-mixes-parents"),
    (CrossesByOrder, "crossover-is-repeatable"),
    (HasFarNeighbors, "neighbors-are-one-apart"),
    (EncodesAllAlike, "encodings-tell-apart"),
    (CountsWrong, "enumeration"),
    (WalksTwice, "enumeration"),
    (ReadsInTheGivenOrder, "text-in-any-order"),
    (ForgetsTraining, "training-is-searched-too"),
    (HasWrongShapes, "binding-gives-the-ends"),
    (OpensToAnother, "open-graph-resolves"),
    (IgnoresLimits, "limits-hold"),
    (IgnoresLimits, "impossible-limits-are-reported"),
    (TakesAnyLimit, "wrong-limits-are-refused"),
    (LosesNames, "edits-keep-names"),
    (HasEditsWithoutJson, "edits-have-json"),
    (MutatesByTwoEdits, "mutation-is-one-edit"),
]


@pytest.mark.parametrize(("cls", "law"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_law_catches_what_breaks_it(cls, law):
    with pytest.raises((AssertionError, TypeError, ValueError)):
        LAWS[law](cls().on(Shapes()))


def test_every_law_is_broken_by_somebody():
    # These speak of registered spaces, of what the base class does, or follow from other laws.
    others = {
        "described-and-restored",
        "identities-are-stable",
        "limits-without-networks-are-refused",
        "networks-have-shapes",
    }
    assert {law for _, law in BROKEN} == set(LAWS) - others


@pytest.mark.parametrize("cls", [Bits, Letters, Widths], ids=lambda cls: cls.__name__)
def test_a_sound_space_passes_all_laws(cls):
    check_space(cls())


def test_capabilities_of_the_sound_spaces():
    assert not any(isinstance(Bits(), c) for c in (Networks, Edits, Finite))
    assert isinstance(Letters(), Finite)
    assert isinstance(Widths(), Networks)


def test_check_space_names_what_is_broken():
    with pytest.raises(AssertionError, match="a sample must be a member"):
        check_space(SamplesStrangers())
