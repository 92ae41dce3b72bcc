"""The report of a study: tables, figures, one HTML file."""

from nasturtium.report._base import FinalResults, wilson
from nasturtium.report._checklist import checklist_table
from nasturtium.report._console import front_table
from nasturtium.report._page import fill_page, write_report
from nasturtium.report._svg import svg_of

__all__ = ["FinalResults", "checklist_table", "fill_page", "front_table", "svg_of", "wilson", "write_report"]
