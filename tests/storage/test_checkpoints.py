import os
import pickle
import subprocess
import sys
import time

import pytest

from nasturtium.errors import StorageError, UsageError
from nasturtium.storage import CheckpointStore, CheckpointView

HOUR = 3600


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "check points"


@pytest.fixture
def store(folder):
    return CheckpointStore(folder.as_uri())


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("data", [b"", b"weights", bytes(range(256)) * 1000])
def test_what_is_put_is_got(store, data):
    assert store.get(store.put(data)) == data


def test_equal_bytes_are_one_file(store, folder):
    assert store.put(b"a") == store.put(b"a") != store.put(b"b")
    assert len(names(folder)) == 2


def test_nothing_is_made_before_the_first_put(store, folder):
    assert store.get("0" * 40) is None
    assert store.prune(set()) == []
    assert not folder.exists()


@pytest.mark.parametrize("reference", ["0" * 40, "", "../../etc/passwd", "0" * 39 + "/", "\x00"])
def test_what_is_missing_is_none(store, reference):
    store.put(b"a")
    assert store.get(reference) is None


@pytest.mark.parametrize("damaged", [b"", b"weight", b"weightz", b"weights "])
def test_what_is_damaged_is_none_until_put_again(store, folder, damaged):
    reference = store.put(b"weights")
    (folder / reference).write_bytes(damaged)
    assert store.get(reference) is None
    assert store.put(b"weights") == reference
    assert store.get(reference) == b"weights"


def test_a_killed_put_leaves_no_checkpoint(store, folder):
    code = (
        "import os, signal, sys; from nasturtium.storage import CheckpointStore\n"
        "os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)\n"
        "CheckpointStore(sys.argv[1]).put(b'weights')"
    )
    ended = subprocess.run([sys.executable, "-c", code, store.url], check=False)
    assert ended.returncode != 0
    (rest,) = names(folder)
    assert rest.endswith(".tmp")
    store.prune(set())
    assert names(folder) == {rest}  # another process may be writing it
    age(folder / rest, HOUR + 10)
    assert store.prune(set()) == []
    assert names(folder) == set()


def test_prune_keeps_within_the_budget_the_worst_first(store, folder):
    kept, worst, middle, best = (store.put(bytes([i]) * 100) for i in range(4))
    surplus = [worst, middle, kept, best, worst]
    assert store.prune({kept}, surplus, budget_bytes=400) == []
    assert store.prune({kept}, surplus, budget_bytes=399) == [worst]
    assert store.prune({kept}, surplus, budget_bytes=0) == [middle, best]
    assert names(folder) == {kept}


def test_prune_spares_what_may_be_reported_soon(store, folder):
    kept, orphan = store.put(b"kept"), store.put(b"orphan")
    (folder / "notes.txt").write_text("the user's")
    for name in names(folder):
        age(folder / name, HOUR - 60)
    assert store.prune({kept}) == []
    for name in names(folder):
        age(folder / name, HOUR + 60)
    assert store.prune({kept}) == [orphan]
    assert names(folder) == {kept, "notes.txt"}


def test_waste_goes_before_surplus(store, folder):
    surplus, waste = store.put(b"s" * 100), store.put(b"w" * 100)
    age(folder / waste, HOUR + 60)
    assert store.prune(set(), [surplus], budget_bytes=150) == [waste]


def test_a_temporary_store_goes_with_its_process():
    code = (
        "from nasturtium.storage import CheckpointStore\nstore = CheckpointStore(); store.put(b'a'); print(store.url)"
    )
    url = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not os.path.exists(url.stdout.strip().removeprefix("file://"))


def test_a_temporary_store_goes_when_it_is_closed():
    store = CheckpointStore()
    reference = store.put(b"a")
    other = pickle.loads(pickle.dumps(store))
    other.close()
    del other
    assert store.get(reference) == b"a"
    store.close()
    store.close()
    assert store.get(reference) is None


def test_a_view_is_what_an_estimator_needs(store):
    view = CheckpointView(store, {3: store.put(b"parent"), 4: "0" * 40})
    view = pickle.loads(pickle.dumps(view))
    assert view.load(3) == b"parent"
    assert view.load(4) is None
    assert view.load(5) is None
    assert store.get(view.save(b"mine")) == b"mine"


@pytest.mark.parametrize("url", ["s3://bucket/x", "/tmp/x", "checkpoints", "file://host/x", "file:x", ""])
def test_other_urls_are_refused(url):
    with pytest.raises(UsageError, match=r"such as file:///data/checkpoints, got .*; write one"):
        CheckpointStore(url)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="got the file"):
        CheckpointStore((tmp_path / "file").as_uri())


def test_a_folder_that_cannot_be_written_is_one_clear_line(store, folder):
    folder.write_text("in the way")
    with pytest.raises(StorageError, match=r"can be written, got 'File exists' at .*check points"):
        store.put(b"a")
