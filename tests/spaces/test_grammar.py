"""Grammar spaces (Schrodi et al. 2023)."""

from collections import Counter
from math import log10

import numpy as np
import pytest
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.spaces import Grammar, NASBench201, op
from nasturtium.spaces._grammar import HIERARCHICAL_NB201
from nasturtium.testing import Shapes, check_sweep

FIXED = Grammar(rules="fixed-nb201")
NAMES = {"none": "zero", "skip_connect": "id", "avg_pool_3x3": "avg_pool"}
RECURSIVE = "S -> Linear2 S S | Residual2 S S id | conv1x1 | relu"


def test_the_papers_counts():
    # methods A14, item 3 [C]: derivations, distinct strings, the plain five operations; the paper says 10^446.
    assert round(log10(Grammar().size), 2) == 446.09
    once = HIERARCHICAL_NB201.replace("Linear1 CONVBLOCK | Linear1 CONVBLOCK", "Linear1 CONVBLOCK")
    assert log10(Grammar(rules=once).size) == pytest.approx(375.85, abs=0.006)
    plain = HIERARCHICAL_NB201[: HIERARCHICAL_NB201.index("OPS ->")] + "OPS -> zero | id | a | b | avg_pool"
    own = (("a", op("conv")), ("b", op("sep_conv")))
    assert log10(Grammar(rules=plain, terminals=own).size) == pytest.approx(179.75, abs=0.006)
    assert FIXED.size == 15_625


def cell_term(architecture):
    """Return a cell of NAS-Bench-201 as a term of the fixed grammar."""
    ops = [architecture[f"edge_{i}_{j}"] for i, j in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))]
    macro = FIXED.text(next(iter(FIXED))).partition(" (D2")[2]
    return f"(CELL Cell {' '.join(f'(OPS {NAMES.get(name, name)})' for name in ops)}) (D2{macro}"


@pytest.mark.parametrize("seed", range(5))
def test_the_fixed_grammar_is_nas_bench_201(seed):
    benchmark = NASBench201()
    a = benchmark.sample(np.random.default_rng(seed))
    ours = FIXED.on(Shapes((3, 32, 32))).graph(FIXED.parse(cell_term(a)))
    theirs = benchmark.graph(a)
    assert (ours.params, ours.flops, ours.depth) == (theirs.params, theirs.flops, theirs.depth)


def test_a_shared_symbol_is_one_nested_graph():
    graph = FIXED.graph(next(iter(FIXED)))
    cells = [node.op for node in graph.nodes if node.name.startswith("CELL")]
    assert len(cells) == 15
    assert len({id(cell) for cell in cells}) == 1


def test_every_sample_of_the_papers_space_is_a_network():
    space = Grammar(filters=4).on(Shapes((3, 8, 8)))
    check_sweep(space, 2, n_exports=1, n_chains=0)
    a = space.sample(np.random.default_rng(0))
    assert space.parse(space.text(a)) == a
    assert space.text(a).startswith("(D2 Linear")


def test_a_mutation_draws_one_subterm_anew():
    space, rng = Grammar(), np.random.default_rng(0)
    a = space.sample(rng)
    for _ in range(20):
        b = space.mutate(a, rng)
        changed = [path for path in a if path in b and a[path] != b[path]]
        assert len(changed) == 1  # its root has another production
        below = {path for path in {*a, *b} if path not in a or path not in b}
        assert all(path.startswith(f"{changed[0]}.") for path in below)


def test_terms_are_drawn_equally_often_where_wanted():
    rules = "S -> Linear2 A A | relu; A -> Linear3 B B B | id; B -> conv1x1 | relu | mish"  # 28^2 + 1 terms
    rng = np.random.default_rng(0)
    shares = {}
    for sampling in ("productions", "terms"):
        space = Grammar(rules=rules, sampling=sampling)
        drawn = Counter(space.sample(rng)["S"] for _ in range(2_000))
        shares[sampling] = drawn["relu"] / 2_000
    assert space.size == 785
    assert shares["productions"] == pytest.approx(0.5, abs=0.04)
    assert shares["terms"] == pytest.approx(1 / 785, abs=0.004)
    tiny = Grammar(rules="S -> Linear2 A A | relu; A -> id | relu | mish", sampling="terms")
    seen = Counter(tiny.text(tiny.sample(rng)) for _ in range(2_000))
    expected = 2_000 / tiny.size
    chi_square = sum((n - expected) ** 2 / expected for n in seen.values())
    assert len(seen) == tiny.size == 10
    assert chi_square < 27.9  # the 0.1 % quantile of 9 degrees of freedom


def test_a_recursive_grammar_needs_a_depth_and_keeps_to_it():
    with pytest.raises(UsageError, match=r"a recursive grammar has infinitely many terms, got .*; set max_depth"):
        Grammar(rules=RECURSIVE)
    space = Grammar(rules=RECURSIVE, max_depth=4)
    a = [0]
    for _ in range(4):
        a.append(2 + 2 * a[-1] ** 2)
    assert space.size == a[-1]
    rng = np.random.default_rng(0)
    depths = [max(path.count(".") // 2 + 1 for path in space.sample(rng)) for _ in range(50)]
    assert max(depths) == 4
    with pytest.raises(UsageError, match=r"a term ends within max_depth, got none of D2 in 0"):
        Grammar(max_depth=0)
    with pytest.raises(UsageError, match=r"a term ends within max_depth, got none of S in 1"):
        Grammar(rules="S -> Linear2 A A; A -> id", max_depth=1)


def test_branches_that_differ_in_shape_are_made_to_fit():
    even = Grammar(rules="S -> Residual2 A A id; A -> conv3x3 | relu")
    uneven = Grammar(rules="S -> Residual2 A A id; A -> resBlock | relu")
    for space, merge in ((even, "Add"), (uneven, "Sum")):
        bound = space.on(Shapes((3, 16, 16)))
        for a in bound:
            (nested,) = (node.op for node in bound.graph(a).nodes if node.name.startswith("Residual2"))
            assert type(nested.nodes[-1].op).__name__ == merge
        check_sweep(bound, 4, n_exports=4, n_chains=1)


class Doubled(nn.Module):
    """A user's module."""

    def __init__(self, factor=2.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


def test_a_users_own_words():
    diamond = ((1, 2), (1, 3), (2, 4), (3, 4))
    space = Grammar(
        rules="S -> Diamond A mine A id | sep_conv; A -> wide | mine",
        terminals=(("wide", op("conv", out=12, kernel=5)), ("mine", op(Doubled, factor=3.0))),
        topologies=(("Diamond", diamond),),
        filters=8,
    ).on(Shapes((3, 8, 8)))
    assert space.size == 5
    check_sweep(space, 5, n_exports=0, n_chains=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rules": "S -> Linear2 relu"}, "a topology has an argument an edge, an operation none, got 'Linear2 relu'"),
        ({"rules": "S -> relu relu"}, "an operation none, got 'relu relu' of 'S'; relu takes 0"),
        ({"rules": "S -> conv_3x3"}, "unknown word 'conv_3x3' in a grammar; did you mean .*conv3x3"),
        ({"rules": "S -> X relu", "topologies": (("X", ((1, 3),)),)}, "a topology's edges lead upward"),
        ({"rules": "S -> relu\nrelu -> id"}, "a symbol has a name of its own, got that of an operation, 'relu'"),
        ({"rules": "S -> relu", "filters": 0}, "filters are positive"),
        ({"rules": "S -> relu", "sampling": "uniform"}, "sampling is 'productions' or 'terms'"),
        ({"rules": "S -> linear", "input_shape": (1, 8, 8)}, "every production must fit, got 'linear' in 'linear'"),
    ],
)
def test_impossible_grammars_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Grammar(**arguments)


def test_a_terminal_leaves_nothing_to_decide():
    from nasturtium.spaces import choice

    with pytest.raises(UsageError, match="a terminal leaves nothing to decide"):
        Grammar(rules="S -> a", terminals=(("a", op("conv", kernel=choice(3, 5))),))


def test_training_is_decided_besides():
    from nasturtium.spaces import real

    space = Grammar(rules="S -> relu | id", sampling="terms").with_training(rate=real(0.1, 1.0))
    a = space.sample(np.random.default_rng(0))
    assert 0.1 <= space.training(a)["rate"] <= 1.0
    assert space.parse(space.text(a)) == a
