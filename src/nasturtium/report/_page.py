"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.report._base import FinalResults, Findings
from nasturtium.report._baseline import baseline_section
from nasturtium.report._checklist import checklist_section
from nasturtium.report._cost import cost_section, trials_section
from nasturtium.report._family import family_section
from nasturtium.report._front import front_section
from nasturtium.report._importance import importance_section
from nasturtium.report._learning import learning_section
from nasturtium.report._markup import Markup, element, join, text
from nasturtium.report._networks import networks_section
from nasturtium.report._origin import origin_section
from nasturtium.report._progress import progress_section, random_section
from nasturtium.report._seeds import winner_section
from nasturtium.report._summary import summary
from nasturtium.report._verdict import verdict_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nasturtium.trials import History


@final
@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Args:
        anchor: What links lead to.
        title: Its heading.
        body: Makes its content.
    """

    anchor: str
    title: str
    body: Callable[[Findings], Markup]


SECTIONS = (
    Section("verdict", "Verdict", verdict_section),
    Section("winner", "How sure the winner is", winner_section),
    Section("baseline", "Your network", baseline_section),
    Section("front", "Pareto front", front_section),
    Section("networks", "Architectures of the front", networks_section),
    Section("progress", "Progress", progress_section),
    Section("family", "Where the best comes from", family_section),
    Section("importance", "Which decisions mattered", importance_section),
    Section("learning", "What the policy learned", learning_section),
    Section("random", "What random search would have found", random_section),
    Section("cost", "Cost and failures", cost_section),
    Section("trials", "Trials", trials_section),
    Section("checklist", "Best-practice checklist", checklist_section),
    Section("origin", "Where this comes from", origin_section),
)
"""The report from top to bottom. A new part is a function in a file of its own and a line here."""


def write_report(
    history: History,
    created: Mapping[str, Any],
    path: Path,
    *,
    final: Sequence[FinalResults] | None = None,
) -> Path:
    """Write the report of a study, one HTML file that asks for nothing from anywhere.

    The file appears whole or not at all. It is written for any state of a study: without trials,
    with failures only, with values that are not numbers.

    Args:
        history: What happened.
        created: What the study's first event says of it (``Study.created``); see ``Findings`` for
            what else may be there.
        path: Where to write; missing folders are made.
        final: What became of the front's networks, if there was a final training.

    Returns:
        The path.

    Raises:
        UsageError: The file can't be written.
    """
    page = render(Findings(history, created, tuple(final or ())))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        why = error.strerror or error
        raise UsageError(f"a report's path is writable, got {path} ({why}); give another.") from error
    return path


def render(found: Findings) -> str:
    """Return the page as text."""
    name = str(found.created.get("name", "unnamed"))
    links = join(element("a", s.title, href=f"#{s.anchor}") for s in SECTIONS)
    sections = join(element("section", element("h2", s.title), s.body(found), id=s.anchor) for s in SECTIONS)
    return fill_page(f"Study {name}", summary=summary(found), links=links, sections=sections)


def fill_page(title: str, *, summary: Markup, links: Markup, sections: Markup) -> str:
    """Return a page that asks for nothing from anywhere, in the look of all reports."""
    room = files("nasturtium.report")
    return Template(room.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=text(title),
        style=room.joinpath("page.css").read_text(encoding="utf-8"),
        summary=summary,
        links=links,
        sections=sections,
        script=room.joinpath("page.js").read_text(encoding="utf-8"),
    )
