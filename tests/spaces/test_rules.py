"""Context-free grammars: reading, counting, terms as text."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces._rules import Derivation, read_rules, read_terms, write_term

EXPRESSIONS = "E -> plus E E | x"
SHARED = """
S -> pair A B | pair B B
A -> x | x | y
B = pair x A
"""


def test_terms_of_a_recursive_grammar_are_counted_by_depth():
    rules = read_rules(EXPRESSIONS)
    counts = [0]
    for depth in range(1, 8):
        counts.append(1 + counts[-1] ** 2)  # one leaf, or two terms of a level less
        assert rules.count("E", depth) == counts[-1]
    assert rules.is_recursive()


def test_equal_productions_and_shared_symbols_count_as_derivations():
    rules = read_rules(SHARED)
    assert rules.roots == ("B", "S")
    assert [rules.count(symbol, 3) for symbol in "SAB"] == [4, 3, 3]  # B is no decision within S
    assert [p.label for p in rules.productions["A"]] == ["x", "x#2", "y"]
    assert not rules.is_recursive()


def test_only_productions_that_end_in_time_are_asked_for():
    asked = []

    def first(decision):
        asked.append((decision.path, decision.values))
        return decision.values[0]

    Derivation(EXPRESSIONS, "E", 2).decide("E", first)
    assert asked == [("E", ("plus E E", "x")), ("E.0.1", ("x",)), ("E.0.2", ("x",))]
    assert list(Derivation(EXPRESSIONS, "E", 2).paths("E")) == ["E", "E.0.1", "E.0.2"]


def test_a_term_is_read_as_it_is_written():
    rules = read_rules(SHARED)
    text = "(B pair x (A y)) (S pair (A#2 x) B)"
    found = read_terms(rules, text)
    assert found == {"B": "pair x A", "B.0.2": "y", "S": "pair A B", "S.0.1": "x#2"}
    assert " ".join(write_term(rules, found, symbol, symbol) for symbol in rules.roots) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S pair x", "a rule is 'SYMBOL -> head argument | head'"),
        ("S -> x; S -> y", "a rule is .* one a symbol"),
        ("S -> x |", "a production is one or more words"),
        ("S -> 3x3", "a production is one or more words"),
        ("", "the first rule is of the start symbol"),
        ("S = x", "the first rule is of the start symbol, which is not shared"),
        ("S -> A; A = pair B x; B = x", "a shared symbol reads earlier ones only"),
    ],
)
def test_malformed_grammars_are_refused(text, message):
    with pytest.raises(UsageError, match=message):
        read_rules(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(S pair (A y) B)", "there is one term each of"),
        ("(B pair x (A y)) (S pair (A y) B", "every bracket is opened and closed"),
        ("(B pair x (A y))) (S pair (A y) B)", "every bracket is opened and closed"),
        ("(B pair x (A z)) (S pair (A y) B)", "A is one of .* got 'z'"),
        ("(B pair x (A y)) (S pair A B)", None),
        ("(B pair x (A y)) (A y)", "a term of S stands at 'S', got one of 'A'"),
        ("(B pair x (A y)) S", r"a term of S is written \(S ...\)"),
        ("(B pair (x) (A y)) (S pair (A y) B)", "a term of x stands at"),
        ("(B pair x ()) (S pair (A y) B)", r"a term of B is written"),
    ],
)
def test_malformed_terms_are_refused(text, message):
    rules = read_rules(SHARED)
    if message is None:  # a symbol for its term: its production is missing, which the space says
        assert "S.0.1" not in read_terms(rules, text)
        return
    with pytest.raises(UsageError, match=message):
        read_terms(rules, text)
