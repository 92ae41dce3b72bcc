import subprocess
import sys
from contextlib import closing

import pytest

from nasturtium import storage as room
from nasturtium.storage import MemoryStorage, SqlStorage, open_storage


def test_no_url_is_memory():
    assert isinstance(open_storage(), MemoryStorage)
    storage = open_storage()
    assert storage.checkpoints("s") == storage.checkpoints("s") != storage.checkpoints("t")


def test_a_url_is_a_database(tmp_path):
    with closing(open_storage(f"sqlite:///{tmp_path / 'a.db'}")) as storage:
        assert isinstance(storage, SqlStorage)


def test_sqlalchemy_is_loaded_when_it_is_used():
    code = "import sys; from nasturtium.storage import open_storage; open_storage()\nprint('sqlalchemy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'RedisStorage'"):
        _ = room.RedisStorage
