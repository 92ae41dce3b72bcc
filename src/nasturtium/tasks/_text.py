"""A text to be predicted, token by token."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

import torch

from nasturtium.errors import DataError, UsageError
from nasturtium.tasks._arrays import about
from nasturtium.tasks._base import Task
from nasturtium.tasks._next_token import NextToken
from nasturtium.tasks._sources import TASKS, FileSource
from nasturtium.tasks._split import Normalization
from nasturtium.tasks._stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN = "<unk>"
END = "<eos>"

LEAST = 1_000
"""So many tokens a text has at least: a hundred to judge by, and a hundred to test by."""


@TASKS.register("text")
@final
@dataclass(frozen=True)
class Text(FileSource):
    """A text file, for language models: the next character or word follows from those before.

    The first 80 % are the training part, the next 10 % validate and the last 10 % test. Tokens that
    do not occur in the training part, and words that occur there once, are ``<unk>``. The metric
    is ``valid_perplexity``. ``text:PATH`` is short for ``text(path='PATH')``.

    Args:
        path: A UTF-8 file, which may be packed by gzip or xz, or ``"tinyshakespeare"`` for the text
            in the wheel.
        tokens: ``"characters"``, or ``"words"`` between white space, with ``<eos>`` behind each
            line.
        most_tokens: The vocabulary's greatest size; the rarest are ``<unk>``.
        steps: Length of the sequences that networks are trained on.
    """

    path: str
    tokens: str = "characters"
    most_tokens: int = 10_000
    steps: int = 32

    packed: ClassVar[tuple[str, ...]] = ("tinyshakespeare",)  # data/README.md has provenance and licence

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.tokens not in ("characters", "words"):
            raise UsageError(f"tokens are 'characters' or 'words', got {self.tokens!r}; choose one.")
        if self.most_tokens < 2 or self.steps < 1:
            raise UsageError(
                f"most_tokens is at least 2 and steps at least 1, got {self.most_tokens} and {self.steps}; raise them."
            )

    @classmethod
    def reads(cls, path: Path) -> bool:
        """Return whether the name ends in ``.txt``, or that of a packed text."""
        return path.is_file() and path.name.lower().removesuffix(".gz").removesuffix(".xz").endswith(".txt")

    def load(self) -> Task:
        """Return the task."""
        is_packed = self.path in self.packed
        path = Path(str(files("nasturtium.tasks") / "data" / f"{self.path}.txt.xz")) if is_packed else Path(self.path)
        tokens = split_text(_read(path), self.tokens)
        with about(self.path):
            return self._task(tokens, self.path if is_packed else path.name.partition(".")[0])

    def _task(self, tokens: list[str], name: str) -> Task:
        n = len(tokens)
        if n < LEAST:
            raise DataError(f"a text has at least {LEAST:,} {self.tokens}, got {n:,}; take a longer one.")
        ends = (n * 8 // 10, n * 9 // 10)
        vocabulary = vocabulary_of(tokens[: ends[0]], self.most_tokens, least=2 if self.tokens == "words" else 1)
        if len(vocabulary) < 3:
            raise DataError(f"a text has different {self.tokens}, got {vocabulary[1:]} only; take another one.")
        numbers = {token: number for number, token in enumerate(vocabulary)}
        stream = torch.tensor([numbers.get(token, 0) for token in tokens])
        # A part begins with the last token of the one before, so that each token is predicted once.
        bounds = ((0, ends[0]), (ends[0] - 1, ends[1]), (ends[1] - 1, n))
        train, valid, test = (Stream(stream[start:stop].clone(), self.steps) for start, stop in bounds)
        goal = NextToken(vocabulary)
        digest = blake2b(repr(("nasturtium text 1", vocabulary, ends)).encode(), digest_size=16)
        digest.update(stream.numpy().astype("<i8").tobytes())
        return Task(
            name=name,
            goal=goal,
            train=train,
            valid=valid,
            normalization=Normalization((), ()),
            loss=goal.loss,
            metrics=goal.metrics,
            augment=None,
            content=digest.hexdigest(),
            recipe="text",
            _test=test,
        )


def split_text(text: str, tokens: str) -> list[str]:
    r"""Return the characters or the words of a text.

    Example:
        >>> split_text("to be\nor", "words")
        ['to', 'be', '<eos>', 'or', '<eos>']
    """
    if tokens == "characters":
        return list(text)
    return [word for line in text.splitlines() for word in (*line.split(), END)]


def vocabulary_of(tokens: Iterable[str], most: int, *, least: int) -> tuple[str, ...]:
    """Return the tokens that have a number of their own: ``<unk>``, then the others, sorted.

    Args:
        tokens: Of the training part.
        most: The greatest size; of tokens that are equally rare the first ones in order stay.
        least: So often a token occurs at least.

    Example:
        >>> vocabulary_of("to be or not to be".split(), 3, least=2)
        ('<unk>', 'be', 'to')
    """
    counts = Counter(tokens)
    counts.pop(UNKNOWN, None)
    ordered = sorted((token for token, n in counts.items() if n >= least), key=lambda token: (-counts[token], token))
    return (UNKNOWN, *sorted(ordered[: most - 1]))


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        elif data[:6] == b"\xfd7zXZ\x00":
            data = lzma.decompress(data)
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: a text must be in UTF-8, got other bytes at {error.start}; convert it.") from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"a text must be readable, got {path} ({reason}); mend that.") from error
