"""The family of the best candidate: its ancestors, its direct line, what changed."""

from nasturtium.report._family import ancestors, direct_line, family_section, family_svg
from nasturtium.spaces import Architecture


def family(studies):
    """Return a study in which trial 4 descends from 3 and 1, and 3 from 0; 2 is no ancestor."""
    study = studies(strategy="regularized-evolution")
    parents = {3: (0,), 4: (3, 1)}
    errors = (0.5, 0.4, 0.45, 0.3, 0.1)
    choices = ({"a": 1, "b": 1}, {"a": 2, "b": 7}, {"a": 3, "b": 3}, {"a": 1, "b": 2}, {"a": 1, "b": 7})
    for number, (error, chosen) in enumerate(zip(errors, choices, strict=True)):
        assert study.ask(Architecture.from_json(chosen), parents=parents.get(number, ())) == number
        study.finish(number, valid_error=error)
    return study.found()


def test_ancestors_and_line(studies):
    found = family(studies)
    assert [t.number for t in ancestors(found, found.trials[4])] == [0, 1, 3]
    assert [t.number for t in direct_line(found, found.trials[4])] == [0, 3, 4]


def test_the_section_says_what_changed_at_each_birth(studies):
    section = family_section(family(studies))
    assert "trial 4, is of generation 2: 3 ancestors of 5 trials." in section
    assert "b: 1 → 2" in section
    assert "b: 2 → 7" in section
    assert "drawn anew" in section
    assert "a:" not in section  # it never changed on the line


def test_the_tree_has_every_member_once_and_every_descent(studies):
    found = family(studies)
    drawn = family_svg(found, found.trials[4], ancestors(found, found.trials[4]))
    assert drawn.count("<circle") == 4
    assert drawn.count("<path") == 3
    assert drawn.count('<path d="') == 3
    assert drawn.count('class="line"') == 2 + 3  # two descents and three members on the direct line


def test_a_winner_without_parents_and_a_study_without_one_are_said(studies):
    study = studies()
    assert "no result" in family_section(study.found())
    study.end(valid_error=0.1)
    assert "has no parents" in family_section(study.found())
