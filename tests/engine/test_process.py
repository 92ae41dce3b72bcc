"""How a worker process ended, in one line."""

import pytest

from nasturtium.engine._process import cause_of_death


@pytest.mark.parametrize(
    ("code", "words", "cause"),
    [
        (3, "", "exited with code 3"),
        (
            1,
            "Traceback\nImportError: no torch\n\n",
            "exited with code 1; last words: 'ImportError: no torch'",
        ),
        (-11, "", "killed by SIGSEGV"),
        (
            -6,
            "bad index\nFatal Python error: Aborted\n  File x\n",
            "killed by SIGABRT; last words: 'bad index'",
        ),
        (-9, "", "killed by SIGKILL, perhaps by the system for want of memory"),
        (-63, "", "killed by signal 63"),
        (None, "", "closed its pipe"),
    ],
)
def test_cause_of_death(code, words, cause):
    assert cause_of_death(code, words) == cause
