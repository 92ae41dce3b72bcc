"""The report of a study: tables, figures, one HTML file."""

from nasturtium.report._axes import Axis, axis_of, frame
from nasturtium.report._base import FinalResults, wilson
from nasturtium.report._baseline import baseline_text, baseline_verdict
from nasturtium.report._chart_file import chart_file
from nasturtium.report._checklist import checklist_table
from nasturtium.report._console import front_table
from nasturtium.report._format import (
    NOTHING,
    argument_text,
    component_name,
    component_text,
    counted,
    duration,
    interval_text,
    percent,
    title_of,
    value_text,
)
from nasturtium.report._markup import Markup, coordinate, element, join
from nasturtium.report._page import fill_page, write_report
from nasturtium.report._seeds import hand_text, seeds_text
from nasturtium.report._svg import svg_of

__all__ = [
    "NOTHING",
    "Axis",
    "FinalResults",
    "Markup",
    "argument_text",
    "axis_of",
    "baseline_text",
    "baseline_verdict",
    "chart_file",
    "checklist_table",
    "component_name",
    "component_text",
    "coordinate",
    "counted",
    "duration",
    "element",
    "fill_page",
    "frame",
    "front_table",
    "hand_text",
    "interval_text",
    "join",
    "percent",
    "seeds_text",
    "svg_of",
    "title_of",
    "value_text",
    "wilson",
    "write_report",
]
