"""Long statements on several lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100
"""Characters a line."""


def fold(line: str) -> list[str]:
    """Return a statement as lines of at most ``WIDTH`` characters, as far as brackets allow it.

    Example:
        >>> for part in fold(f"x = torch.cat([{', '.join(['a' * 40] * 3)}], dim=1)"):
        ...     print(part)
        x = torch.cat(
            [
                aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
                aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            ],
            dim=1
        )
    """
    if len(line) <= WIDTH:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    code, mark, comment = line.partition("  # ")
    if mark:
        return [f"{indent}# {comment}", *fold(code)]
    opening, closing = _brackets(code)
    if opening < 0:
        return [code]
    lines = [""]
    for piece in _pieces(code[opening + 1 : closing]):
        together = f"{lines[-1]} {piece}".strip()
        if lines[-1] and len(indent) + 4 + len(together) > WIDTH:
            lines.append(piece)
        else:
            lines[-1] = together
    inside = [part for piece in lines for part in fold(f"{indent}    {piece}")]
    return [code[: opening + 1], *inside, f"{indent}{code[closing:]}"]


def fold_assignment(line: str) -> list[str]:
    """Return an assignment or return statement folded; a bare sum gets brackets for it.

    Example:
        >>> fold_assignment(f"x = {' + '.join(['a' * 30] * 4)}")[0]
        'x = ('
    """
    lines = fold(line)
    code = line.partition("  # ")[0]
    is_call = _brackets(code)[1] == len(code) - 1
    if len(line) <= WIDTH or (is_call and max(map(len, lines)) <= WIDTH):
        return lines
    sign = " = " if " = " in line else "return "
    left, _, right = code.partition(sign)
    return fold(f"{left}{sign}({right}){line[len(code) :]}")


def _marked(code: str) -> Iterator[tuple[int, str, int]]:
    """Yield (position, character, bracket depth after it), without what stands in strings."""
    depth, quote, escaped = 0, "", False
    for i, character in enumerate(code):
        if quote:
            closes = character == quote and not escaped
            escaped = character == "\\" and not escaped
            quote = "" if closes else quote
            continue
        quote = character if character in "\"'" else ""
        depth += (character in "([{") - (character in ")]}")
        yield i, character, depth


def _brackets(code: str) -> tuple[int, int]:
    """Return where the last outermost bracket opens and closes, or (-1, -1)."""
    opening = closing = -1
    for i, character, depth in _marked(code):
        if character in "([{" and depth == 1:
            opening = i
        elif character in ")]}" and depth == 0:
            closing = i
    return (opening, closing) if closing > opening >= 0 else (-1, -1)


def _pieces(code: str) -> list[str]:
    """Return the parts between the blanks that stand in no inner bracket."""
    blanks = [i for i, character, depth in _marked(code) if character == " " and depth == 0]
    return [code[a + 1 : b] for a, b in zip([-1, *blanks], [*blanks, len(code)], strict=True)]
