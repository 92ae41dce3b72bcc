"""The report of a study: tables, figures, one HTML file."""

from nasturtium.report._base import FinalResults, wilson
from nasturtium.report._console import front_table
from nasturtium.report._page import write_report
from nasturtium.report._svg import svg_of

__all__ = ["FinalResults", "front_table", "svg_of", "wilson", "write_report"]
