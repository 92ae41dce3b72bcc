"""Networks as files that run without nasturtium."""

from nasturtium.export._folder import Exported, export_network
from nasturtium.export._programs import write_graph
from nasturtium.export._session import open_session, session_options
from nasturtium.export._source import source_of

__all__ = ["Exported", "export_network", "open_session", "session_options", "source_of", "write_graph"]
