"""How values are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf, isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasturtium.trials import Objective

SHARES = frozenset({"valid_error", "test_error", "train_error"})
"""Metrics that are fractions in [0, 1] and written as per cent."""

_TITLES = {
    "valid_error": "validation error",
    "test_error": "test error",
    "train_error": "training error",
    "valid_perplexity": "validation perplexity",
    "test_perplexity": "test perplexity",
    "valid_loss": "validation loss",
    "train_loss": "training loss",
    "params": "parameters",
    "flops": "multiply-accumulates",
    "memory": "activation memory (bytes)",
    "latency_ms": "latency (ms)",
    "trial": "trial",
}

NOTHING = "–"
"""What stands where there is no value."""


def is_share(metric: str) -> bool:
    """Return whether a metric is a fraction in [0, 1]: an error, at whatever fidelity.

    Example:
        >>> is_share("valid_error"), is_share("valid_error_e108"), is_share("valid_loss")
        (True, True, False)
    """
    return metric in SHARES or metric.rpartition("_")[0] in SHARES


def title_of(metric: str) -> str:
    """Return a metric's name for people.

    Example:
        >>> title_of("valid_error"), title_of("my_metric")
        ('validation error', 'my_metric')
    """
    return _TITLES.get(metric, metric)


def number(value: float) -> str:
    """Return a number with four significant digits, whole ones in full.

    Example:
        >>> number(12345), number(0.123456), number(1.5e-7), number(float("nan"))
        ('12,345', '0.1235', '1.5e-07', '–')
    """
    if isnan(value):
        return NOTHING
    if isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def percent(value: float) -> str:
    """Return a fraction as per cent.

    Example:
        >>> percent(0.0235), percent(float("nan"))
        ('2.35 %', '–')
    """
    return NOTHING if isnan(value) else f"{100 * value:.2f} %"


def value_text(metric: str, value: float) -> str:
    """Return a metric's value.

    Example:
        >>> value_text("valid_error", 0.1), value_text("params", 1234.0)
        ('10.00 %', '1,234')
    """
    return percent(value) if is_share(metric) else number(value)


def named_value(metric: str, value: float) -> str:
    """Return a metric's name and value, as in a sentence.

    Example:
        >>> named_value("valid_error", 0.1), named_value("params", 1234.0)
        ('validation error 10.00 %', '1,234 parameters')
    """
    if metric in ("params", "flops"):
        return f"{value_text(metric, value)} {title_of(metric)}"
    return f"{title_of(metric)} {value_text(metric, value)}"


def duration(seconds: float) -> str:
    """Return a time for people.

    Example:
        >>> duration(0.0042), duration(12.34), duration(185), duration(7500)
        ('0.0042 s', '12.3 s', '3 min 5 s', '2 h 5 min')
    """
    if isnan(seconds) or isinf(seconds):
        return NOTHING
    if seconds < 1:
        return f"{seconds:.2g} s"
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min"


def interval_text(low: float, high: float) -> str:
    """Return an interval of fractions as per cent.

    Example:
        >>> interval_text(0.0552, 0.1744)
        '5.52–17.44 %'
    """
    return NOTHING if isnan(low) else f"{100 * low:.2f}–{100 * high:.2f} %"


def component_text(component: Mapping[str, Any] | str | None) -> str:
    """Return a stored component as the command line would take it.

    Example:
        >>> component_text({"name": "random-search", "version": 1, "arguments": {"n": 3}})
        'random-search(n=3)'
        >>> component_text({"opaque": "script.MySpace"})
        'script.MySpace (a class of a script)'
    """
    if component is None:
        return "none"
    if isinstance(component, str):
        return component
    if "opaque" in component:
        return f"{component['opaque']} (a class of a script)"
    arguments = component.get("arguments") or {}
    inside = ", ".join(f"{name}={argument_text(value)}" for name, value in arguments.items())
    return f"{component.get('name', 'unknown')}({inside})" if inside else str(component.get("name"))


def argument_text(value: Any) -> str:
    """Return a stored argument as the command line would take it.

    Example:
        >>> argument_text([1, {"component": "block", "name": "real", "version": 1, "arguments": {"low": 0.1}}])
        '(1, real(low=0.1))'
    """
    if isinstance(value, Mapping) and "component" in value:
        return component_text(value)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(argument_text, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def component_name(component: Mapping[str, Any] | str | None) -> str:
    """Return a stored component's name alone.

    Example:
        >>> component_name({"opaque": "script.MySpace"}), component_name({"name": "nasnet"})
        ('MySpace', 'nasnet')
    """
    if component is None or isinstance(component, str):
        return component or "none"
    opaque = str(component.get("opaque", "unknown")).rpartition(".")[2]
    return str(component.get("name", opaque))


def aim(objective: Objective) -> str:
    """Return what is wanted of an objective: ``"lower"`` or ``"higher"``."""
    return "higher" if objective.maximize else "lower"


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "trial"), counted(1200, "trial"), counted(2, "study", "studies")
        ('1 trial', '1,200 trials', '2 studies')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
