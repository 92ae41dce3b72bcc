"""Texts as tasks."""

import gzip
import lzma
import math
from collections import Counter

import pytest
import torch

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks import Text, load_task

LINES = "the cat sat on the mat\nthe dog sat on the log\n"


@pytest.fixture
def play(tmp_path):
    path = tmp_path / "play.txt"
    path.write_text(LINES * 80)
    return path


@pytest.fixture(scope="module")
def shakespeare():
    return load_task("text:tinyshakespeare")


def written(task):
    """Return the text that the parts hold, from the first token on."""
    parts = (task.train, task.valid, task.test())
    numbers = torch.cat([task.train.tokens[:1], *(part.y for part in parts)]).tolist()
    return [task.classes[number] for number in numbers]


def test_tiny_shakespeare(shakespeare):
    parts = (shakespeare.train, shakespeare.valid, shakespeare.test())
    assert [len(part) for part in parts] == [892_314, 111_539, 111_540]
    text = "".join(written(shakespeare))
    assert len(text) == 1_115_394
    assert len(set(text)) == 65
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")
    assert (shakespeare.input_shape, shakespeare.n_outputs, shakespeare.over_time) == ((), 66, True)
    assert repr(shakespeare) == "Task(tinyshakespeare: () -> 66 tokens; 892314 train, 111539 valid, 111540 test)"


def test_the_split_is_the_same_in_every_release(shakespeare):
    assert shakespeare.content == "b9a77cba34f90d83066c2817525c2141"


def test_parts_are_pieces_of_the_text_in_order(play):
    task = load_task(f"text:{play}")
    assert "".join(written(task)) == LINES * 80
    n = len(LINES) * 80
    assert [len(task.train) + 1, len(task.valid), len(task.test())] == [n * 8 // 10, n // 10, n // 10]
    final = task.for_final()
    assert torch.equal(final.train.tokens, torch.cat([task.train.tokens, task.valid.y]))
    assert len(final.valid) == 0
    half = task.subset(0.5)
    assert torch.equal(half.train.tokens, task.train.tokens[: math.ceil(len(task.train) / 2) + 1])


def test_words_are_tokens_too(play):
    task = load_task(f"text(path={str(play)!r}, tokens='words')")
    assert task.classes == ("<unk>", *sorted({"the", "cat", "sat", "on", "mat", "dog", "log", "<eos>"}))
    assert written(task)[:8] == ["the", "cat", "sat", "on", "the", "mat", "<eos>", "the"]


def test_rare_and_unseen_tokens_are_unknown(tmp_path):
    path = tmp_path / "rare.txt"
    path.write_text("once upon a time\n" + "a b b c\n" * 300 + "never\n")
    task = load_task(f"text(path={str(path)!r}, tokens='words', most_tokens=4)")
    # Of <eos>, a, b and c, three have a number: the most frequent ones.
    assert task.classes == ("<unk>", "<eos>", "a", "b")
    counts = Counter(written(task))
    assert counts["<unk>"] == 3 + 300 + 1
    characters = load_task(f"text:{path}")
    assert "v" not in characters.classes
    assert written(characters)[-3:] == ["<unk>" if c not in characters.classes else c for c in "er\n"]


def test_packed_files_and_windows_line_ends(play):
    content = load_task(f"text:{play}").content
    for name, data in {
        "play.txt.gz": gzip.compress(play.read_bytes()),
        "play.txt.xz": lzma.compress(play.read_bytes()),
        "windows.txt": play.read_text().replace("\n", "\r\n").encode(),
    }.items():
        (play.parent / name).write_bytes(data)
        assert load_task(str(play.parent / name)).content == content, name


def test_sources_are_stored_whole(play, monkeypatch):
    monkeypatch.chdir(play.parent)
    task = load_task("text:play.txt")
    assert task.source == load_task("play.txt").source == f"text(path='{play}')"
    assert load_task(task.source).content == task.content
    (play.parent / "tinyshakespeare").write_text("a file of that name")
    assert load_task("text:tinyshakespeare").source == "text(path='tinyshakespeare')"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a text has at least 1,000 characters, got 0; take a longer one"),
        (b"too short", "a text has at least 1,000 characters, got 9"),
        (b"a" * 2_000, r"a text has different characters, got \('a',\) only"),
        (b"\xff\xfe" * 2_000, "a text must be in UTF-8, got other bytes at 0"),
        (b"\x1f\x8b broken", "a text must be readable"),
        (b"\xfd7zXZ\x00 broken", "a text must be readable"),
    ],
    ids=["empty", "short", "one", "binary", "gzip", "xz"],
)
def test_unusable_texts_are_refused_with_the_files_name(tmp_path, data, message):
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message) as caught:
        load_task(f"text:{path}")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("text:missing.txt", DataError, "must exist, got 'missing.txt'; .*, or write text:tinyshakespeare"),
        ("text:", DataError, "must exist, got ''"),
        ("digits:x.txt", UsageError, "a path follows the name of a task that reads files, got digits:x.txt"),
        ("text(path='x', tokens='letters')", UsageError, "tokens are 'characters' or 'words', got 'letters'"),
        ("text(path='x', steps=0)", UsageError, "steps at least 1, got 10000 and 0"),
        ("text(path='/')", DataError, "a text must be readable, got /"),
    ],
)
def test_wrong_texts_are_refused(text, error, message):
    with pytest.raises(error, match=message):
        load_task(text)


def test_a_text_is_known_by_its_name(play):
    assert Text.reads(play)
    assert not Text.reads(play.parent)
