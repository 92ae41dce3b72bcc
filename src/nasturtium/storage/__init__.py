"""Storage: where the logs and checkpoints of studies live."""

from typing import TYPE_CHECKING, Any

from nasturtium.storage._base import Storage
from nasturtium.storage._checkpoints import CheckpointStore, CheckpointView
from nasturtium.storage._leases import new_owner
from nasturtium.storage._memory import MemoryStorage
from nasturtium.storage._open import open_storage

if TYPE_CHECKING:
    from nasturtium.storage._sql import SqlStorage

__all__ = [
    "CheckpointStore",
    "CheckpointView",
    "MemoryStorage",
    "SqlStorage",
    "Storage",
    "new_owner",
    "open_storage",
]


def __getattr__(name: str) -> Any:
    """Import SQLAlchemy when it is first used."""
    if name == "SqlStorage":
        from nasturtium.storage._sql import SqlStorage

        return SqlStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
