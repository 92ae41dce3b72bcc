"""Folding changes the layout only."""

import ast

import pytest

from nasturtium.export._fold import WIDTH, fold, fold_assignment

NAMES = [f"some_rather_long_name_{i}" for i in range(12)]
STATEMENTS = [
    f"x = torch.cat([{', '.join(NAMES)}], dim=1)",
    f"x = {' + '.join(NAMES)}",
    f"return {' * '.join(NAMES)}",
    f"return {', '.join(NAMES)}, ({', '.join(NAMES)})",
    f"self.cell = Cell({', '.join(f'{n}=({i}, {i})' for i, n in enumerate(NAMES))})",
    f"CLASSES = ({', '.join(repr(f'a (b, {n}') for n in NAMES)})",
    f"""x = f("it's (not", '"closed', {", ".join(NAMES)})""",
    f"a, b = self.cell({', '.join(NAMES)})",
    "x = short(1)",
]


@pytest.mark.parametrize("indent", ["", "        "])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_meaning_stays_and_lines_get_short(statement, indent):
    lines = fold_assignment(indent + statement)
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    wrapped = "def f():\n" + "\n".join(f"    {line}" for line in lines) if indent else text
    body = ast.parse(wrapped).body[0]
    found = body.body[0] if indent else body
    expected = ast.parse(f"def f():\n    {statement}").body[0].body[0]
    assert ast.dump(found) == ast.dump(expected)


def test_a_long_signature_stays_one():
    lines = fold(f"    def forward(self, {', '.join(NAMES)}):")
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "    def forward("
    assert lines[-1] == "    ):"


def test_a_comment_moves_above():
    lines = fold(f"    x = self.conv({', '.join(NAMES)})  # (4, 4)")
    assert lines[0] == "    # (4, 4)"
    assert lines[1] == "    x = self.conv("


def test_what_has_no_bracket_stays():
    line = "x = " + "a" * 120
    assert fold(line) == [line]
