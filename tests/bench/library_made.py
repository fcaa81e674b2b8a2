"""Makes the library that `tests.bench.library` measures.

The sentences are invented from a vocabulary in which, as in speech, a few words are everywhere and
most are rare. What was made is kept, so that only the first run waits for it.
"""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment, Word
from app.library.connection import checkpoint, open_writable
from app.library.fold import folded
from app.library.rows import pack_words, recording_row, segment_crc
from app.library.schema import SCHEMA_VERSION

BUILD = Path(__file__).parents[2] / "build" / "bench-library"
COUNT = 100_000
SEGMENTS, WORDS = 8, 12
RARE = 20_000  # words in the vocabulary
_MAKE = 2  # of what is made here: another number makes it anew
_KINDS = tuple(RecordingKind)
_EVERY = 5  # transcripts whose words have times; more would only make the file larger


def library_of(build: Path, count: int) -> Path:
    """Return the library of `count` transcripts, made once and kept in the build folder."""
    file = build / f"{count}-v{SCHEMA_VERSION}-{_MAKE}" / "library.sqlite"
    if not file.exists():
        draft = build / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        make(draft / "library.sqlite", count)
        file.parent.mkdir(parents=True, exist_ok=True)
        (draft / "library.sqlite").replace(file)
        shutil.rmtree(draft)
    return file


def vocabulary() -> list[str]:
    """Return invented words, the commonest first; some are Chinese."""
    dice = random.Random(5)
    parts = ["ba", "ke", "lo", "mi", "ru", "sta", "ven", "dor", "fi", "né", "gra", "tho"]
    words = {"".join(dice.choices(parts, k=dice.randint(2, 4))) for _ in range(RARE * 2)}
    found = sorted(words)
    dice.shuffle(found)
    return ["the", "and", "so", *found[:RARE], "会議", "東京"]


def sentences(count: int) -> Iterator[list[str]]:
    """Yield the segments' texts of `count` transcripts."""
    dice = random.Random(7)
    words = vocabulary()
    weights = [1 / (rank + 3) for rank in range(len(words))]
    pool = dice.choices(words, weights, k=300_000)
    for _ in range(count):
        at = dice.randrange(len(pool) - SEGMENTS * WORDS)
        said = pool[at : at + SEGMENTS * WORDS]
        yield [" ".join(said[n * WORDS : (n + 1) * WORDS]) for n in range(SEGMENTS)]


def make(file: Path, count: int = COUNT) -> None:
    """Make a library with `count` finished transcripts and, as the newest, one of 20,000 words."""
    connection = open_writable(file)
    connection.execute("PRAGMA synchronous = OFF")  # of a file that is thrown away
    try:
        numbered = enumerate(sentences(count))
        while batch := tuple(islice(numbered, 2_000)):
            connection.execute("BEGIN")
            _add(connection, [(_recording(at, texts), _said(at, texts)) for at, texts in batch], 1)
            connection.execute("COMMIT")
        long = Recording(
            "long", RecordingKind.FILE, "A whole day", 1_800_000_000.0, RecordingStatus.DONE
        )
        connection.execute("BEGIN")
        _add(connection, [(long, long_transcript())], 1)
        connection.execute("COMMIT")
        connection.execute("INSERT INTO documents_search (documents_search) VALUES ('rebuild')")
        checkpoint(connection, file)
    finally:
        connection.close()


def long_transcript() -> list[Segment]:
    """Return 2,000 segments of ten words each."""
    return [
        segment(" ".join(f"word{at}x{n}" for n in range(10)), at * 5.0, has_words=True)
        for at in range(2_000)
    ]


def _recording(number: int, texts: list[str]) -> Recording:
    return Recording(
        f"r{number:06d}",
        _KINDS[number % 3],
        " ".join(texts[0].split()[:4]),
        1_700_000_000.0 + number * 600,
        RecordingStatus.FAILED if number % 997 == 0 else RecordingStatus.DONE,
        SEGMENTS * 5.0,
        language=("en", "de", "fr")[number % 3],
        model_id="nano",
        first_line=texts[0],
        is_favourite=number % 101 == 0,
        doubt=number % 7 == 0,
    )


def _said(number: int, texts: list[str]) -> list[Segment]:
    return [segment(text, n * 5.0, number % _EVERY == 0) for n, text in enumerate(texts)]


def _add(
    connection: sqlite3.Connection, batch: list[tuple[Recording, list[Segment]]], first: int
) -> None:
    """Write recordings the quick way; what is in them is what the writer would write."""
    row = connection.execute("SELECT MAX(number) FROM recordings").fetchone()
    for number, (recording, segments) in enumerate(batch, (row[0] or 0) + first):
        fields = {
            **recording_row(recording),
            "number": number,
            "indexed_segments": len(segments),
        }
        _insert(connection, "recordings", fields)
        for seq, each in enumerate(segments):
            packed = pack_words(each.words) if each.words else None
            connection.execute(
                "INSERT INTO segments (recording, seq, start_s, end_s, text, confidence, crc) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, seq, each.start_s, each.end_s, each.text, each.confidence,
                 segment_crc(each.start_s, each.end_s, each.text, packed, None)),
            )  # fmt: skip
            if packed is not None:
                connection.execute(
                    "INSERT INTO words (recording, seq, texts, numbers) VALUES (?, ?, ?, ?)",
                    (number, seq, packed.texts, packed.numbers),
                )
        body = "".join(f"{folded(each.text)}\n" for each in segments)
        connection.execute(
            "INSERT INTO documents (number, title, body) VALUES (?, ?, ?)",
            (number, folded(recording.title), body),
        )


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )


def segment(text: str, start_s: float, has_words: bool) -> Segment:
    words = tuple(
        Word(word, start_s + at * 0.4, start_s + at * 0.4 + 0.3, 0.9)
        for at, word in enumerate(text.split() if has_words else ())
    )
    return Segment(start_s, start_s + 4.9, text, words, 0.9)
