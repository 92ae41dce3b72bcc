"""The report of a study: tables, figures, one HTML file."""

from nasturtium.report._base import FinalResults, wilson
from nasturtium.report._console import front_table
from nasturtium.report._page import write_report

__all__ = ["FinalResults", "front_table", "wilson", "write_report"]
