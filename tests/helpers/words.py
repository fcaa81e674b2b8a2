"""Word error rate, and running the command line, for tests that look at real text."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
SPEECH = DATA / "speech"
CONVERSATIONS = DATA / "conversations"


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case without punctuation."""
    return re.sub(r"[^\w\s']", " ", text.lower()).split()


def errors(reference: str, heard: str) -> tuple[int, int]:
    """Return how many words are wrong, missing or too many, and how many there should be."""
    want, have = words_of(reference), words_of(heard)
    row = list(range(len(have) + 1))
    for i, word in enumerate(want, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(have, 1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
            diagonal, row[j] = row[j], best
    return row[-1], len(want)


def word_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Return the rate over all (reference, heard) pairs together."""
    counted = [errors(reference, heard) for reference, heard in pairs]
    return sum(wrong for wrong, _ in counted) / sum(total for _, total in counted)


def clips() -> list[dict[str, str]]:
    """Return the clips' `file`, `language` and `text`."""
    return list(json.loads((SPEECH / "reference.json").read_text(encoding="utf-8")))


def undertone(
    *words: str | Path, home: Path, timeout_s: float = 300
) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a person does, with its library in `home`."""
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, words)],
        env={**os.environ, "UNDERTONE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
