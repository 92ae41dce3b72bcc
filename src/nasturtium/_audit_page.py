"""What ``audit`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nasturtium._audit import Audit
    from nasturtium.trials import Fidelity


def audit_page(audit: Audit) -> RenderableType:
    """Return the table of an audit and what it recommends."""
    title = (
        f"{audit.n_architectures} networks, each trained fully twice ({fidelity_text(audit.full)}, "
        f"{audit.seconds:.3g} s)"
    )
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in ("fidelity", "cost", "rank correlation", "better half"):
        table.add_column(column, justify="left" if column == "fidelity" else "right")
    for finding in audit.findings:
        table.add_row(fidelity_text(finding.fidelity), f"{finding.share:.0%}", str(finding.all), str(finding.better))
    table.add_row("full, another seed (the ceiling)", "100%", str(audit.ceiling), str(audit.better_ceiling))
    lines = [
        f"with time for {budget:g} full trainings: {fidelity_text(fidelity)}"
        for budget, fidelity in audit.recommended.items()
    ]
    explained = (
        "Spearman's correlation of the validation error with that of full trainings, and its 95 % bootstrap interval.",
        "Recommended, by the expected error of the best candidate that the time finds:",
    )
    return Group(table, Text("\n".join(("", *explained, *(f"  {line}" for line in lines)))))


def fidelity_text(fidelity: Fidelity) -> str:
    """Return a fidelity in words.

    Example:
        >>> from nasturtium.trials import Fidelity
        >>> fidelity_text(Fidelity(2, None, 0.5, width=0.25, cells=1))
        '2 epochs, 50% of the data, 25% of the filters, cells=1'
    """
    parts = [f"{fidelity.epochs} epoch{'s' * (fidelity.epochs != 1)}"]
    shares = {"the data": fidelity.fraction, "the resolution": fidelity.resolution, "the filters": fidelity.width}
    parts += [f"{share:.0%} of {what}" for what, share in shares.items() if share != 1.0]
    return ", ".join(parts if fidelity.cells is None else [*parts, f"cells={fidelity.cells}"])
