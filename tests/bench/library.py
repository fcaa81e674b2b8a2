"""A library of a hundred thousand transcripts: how long anything in it takes.

The sentences are invented from a vocabulary in which, as in speech, a few words are everywhere and
most are rare. Times are wall clock, with the processor's own beside them: on a busy machine the
difference is what others took.
"""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment, Word
from app.library.changes import insert_segments
from app.library.connection import checkpoint, open_writable
from app.library.fold import folded
from app.library.reader import LibraryReader
from app.library.rows import recording_row
from app.library.search import ListQuery, Sort
from app.library.transaction import Transaction
from app.library.writer import LibraryWriter
from tests.bench.report import markdown

ROOT = Path(__file__).parents[2]
COUNT = 100_000
_SEGMENTS, _WORDS = 8, 12
_KINDS = tuple(RecordingKind)
_RARE = 20_000  # words in the vocabulary
_EVERY = 5  # transcripts whose words have times; more would only make the file larger


@dataclass(slots=True)
class Timed:
    """How long something took, again and again."""

    name: str
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def measure(self, work: Callable[[], object]) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        self.cpu_ms.append((time.thread_time() - cpu) * 1000)
        self.wall_ms.append((time.perf_counter() - wall) * 1000)

    def row(self) -> list[str]:
        return [
            self.name,
            f"{percentile(self.wall_ms, 50):.1f}",
            f"{percentile(self.wall_ms, 99):.1f}",
            f"{percentile(self.cpu_ms, 50):.1f}",
            f"{percentile(self.cpu_ms, 99):.1f}",
        ]


HEAD = ["", "p50 ms", "p99 ms", "p50 cpu ms", "p99 cpu ms"]


def percentile(values: list[float], percent: int) -> float:
    """Return the value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


# Making it


def vocabulary() -> list[str]:
    """Return invented words, the commonest first; some are Chinese."""
    dice = random.Random(5)
    parts = ["ba", "ke", "lo", "mi", "ru", "sta", "ven", "dor", "fi", "né", "gra", "tho"]
    words = {"".join(dice.choices(parts, k=dice.randint(2, 4))) for _ in range(_RARE * 2)}
    found = sorted(words)
    dice.shuffle(found)
    return ["the", "and", "so", *found[:_RARE], "会議", "東京"]


def sentences(count: int) -> Iterator[list[str]]:
    """Yield the segments' texts of `count` transcripts."""
    dice = random.Random(7)
    words = vocabulary()
    weights = [1 / (rank + 3) for rank in range(len(words))]
    pool = dice.choices(words, weights, k=300_000)
    for _ in range(count):
        at = dice.randrange(len(pool) - _SEGMENTS * _WORDS)
        said = pool[at : at + _SEGMENTS * _WORDS]
        yield [" ".join(said[n * _WORDS : (n + 1) * _WORDS]) for n in range(_SEGMENTS)]


def make(file: Path, count: int = COUNT) -> None:
    """Make a library with `count` finished transcripts."""
    connection = open_writable(file)
    connection.execute("PRAGMA synchronous = OFF")  # of a file that is thrown away
    try:
        numbered = enumerate(sentences(count))
        while batch := tuple(islice(numbered, 2_000)):
            connection.execute("BEGIN")
            _add(Transaction(connection), connection, batch)
            connection.execute("COMMIT")
        connection.execute("INSERT INTO documents_search (documents_search) VALUES ('rebuild')")
        checkpoint(connection, file)
    finally:
        connection.close()


def _add(
    change: Transaction, connection: sqlite3.Connection, batch: tuple[tuple[int, list[str]], ...]
) -> None:
    for number, texts in batch:
        title = " ".join(texts[0].split()[:4])
        recording = Recording(
            f"r{number:06d}",
            _KINDS[number % 3],
            title,
            1_700_000_000.0 + number * 600,
            RecordingStatus.FAILED if number % 997 == 0 else RecordingStatus.DONE,
            _SEGMENTS * 5.0,
            language=("en", "de", "fr")[number % 3],
            model_id="nano",
            first_line=texts[0],
            is_favourite=number % 101 == 0,
            doubt=number % 7 == 0,
        )
        row = {**recording_row(recording), "indexed_segments": len(texts)}
        change.database.table("recordings").insert(row, pk="number")
        segments = [_segment(text, n * 5.0, number % _EVERY == 0) for n, text in enumerate(texts)]
        insert_segments(change, number + 1, segments, 0)
        body = "".join(f"{folded(text)}\n" for text in texts)
        connection.execute(
            "INSERT INTO documents (number, title, body) VALUES (?, ?, ?)",
            (number + 1, folded(title), body),
        )


def _segment(text: str, start_s: float, has_words: bool) -> Segment:
    words = tuple(
        Word(word, start_s + at * 0.4, start_s + at * 0.4 + 0.3, 0.9)
        for at, word in enumerate(text.split() if has_words else ())
    )
    return Segment(start_s, start_s + 4.9, text, words, 0.9)


# Measuring it


def searches(file: Path, rounds: int = 40) -> list[Timed]:
    """Measure a page of hits with its snippets, for each kind of query."""
    words = vocabulary()
    dice = random.Random(11)
    rare, mid = words[8_000:_RARE], words[200:1_000]
    phrases = [" ".join(texts[3].split()[2:4]) for texts in sentences(rounds)]
    kinds: dict[str, Callable[[int], ListQuery]] = {
        "rare word": lambda _n: ListQuery(dice.choice(rare) + " "),
        "usual word": lambda _n: ListQuery(dice.choice(mid) + " "),
        "word in nearly all": lambda n: ListQuery(words[n % 3] + " "),
        "two usual words": lambda _n: ListQuery(f"{dice.choice(mid)} {dice.choice(mid)} "),
        "phrase": lambda n: ListQuery(f'"{phrases[n]}"'),
        "two letters, typing": lambda _n: ListQuery(dice.choice(mid)[:2]),
        "Chinese": lambda n: ListQuery(("会議", "東京")[n % 2]),
        "usual word, favourites": lambda _n: ListQuery(dice.choice(mid) + " ", is_favourite=True),
        "usual word, ranked": lambda _n: ListQuery(dice.choice(mid) + " ", ranked=True),
        "word in nearly all, ranked": lambda n: ListQuery(words[n % 3] + " ", ranked=True),
    }
    found = []
    with LibraryReader(file) as reader:
        for name, query in kinds.items():
            timed = Timed(f"search: {name}")
            for number in range(rounds):
                asked = query(number)
                timed.measure(lambda asked=asked: reader.search(asked, 0, 50))  # type: ignore[misc]
            found.append(timed)
    return found


def lists(file: Path, rounds: int = 40) -> list[Timed]:
    """Measure what the list asks for."""
    dice = random.Random(13)
    asked: dict[str, Callable[[LibraryReader], object]] = {
        "list: count": lambda r: r.count(),
        "list: first page": lambda r: r.recordings(ListQuery(), 0, 100),
        "list: any page": lambda r: r.recordings(ListQuery(), dice.randrange(COUNT), 100),
        "list: any page, by title": lambda r: r.recordings(
            ListQuery(sort=Sort.TITLE), dice.randrange(COUNT), 100
        ),
        "list: favourites, count and page": lambda r: (
            r.count(ListQuery(is_favourite=True)),
            r.recordings(ListQuery(is_favourite=True), 0, 100),
        ),
        "list: doubtful in German, page": lambda r: r.recordings(
            ListQuery(is_doubtful=True, language="de"), 500, 100
        ),
        "list: all ids (Select All)": lambda r: r.ids(),
    }
    found = []
    with LibraryReader(file) as reader:
        for name, work in asked.items():
            timed = Timed(name)
            for _ in range(rounds):
                timed.measure(lambda work=work: work(reader))  # type: ignore[misc]
            found.append(timed)
    return found


_OPEN = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from PySide6.QtWidgets import QApplication
application = QApplication([])
from app.config.paths import Paths
from app.ui.main import App
app = App(Paths(Path(sys.argv[1])))
app.open()
application.processEvents()
app.window.grab()
print(f"{time.perf_counter() - began:.3f}")
bar = app.window.parts.library.list.verticalScrollBar()
view = app.window.parts.library.list
for step in range(int(sys.argv[2])):
    began = time.perf_counter()
    bar.setValue(bar.value() + 90 if step % 10 else step * 7919 * 67 % max(1, bar.maximum()))
    view.viewport().repaint()
    application.processEvents()
    print(f"frame {(time.perf_counter() - began) * 1000:.2f}")
app.close()
"""


def openings(file: Path, rounds: int = 3, frames: int = 200) -> tuple[list[float], list[float]]:
    """Open the app on the library; return the seconds to its first picture, and frame times."""
    home = file.parent
    opened, drawn = [], []
    for _ in range(rounds):
        ended = subprocess.run(
            [sys.executable, "-c", _OPEN, str(home), str(frames)],
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = ended.stdout.split("\n")
        opened.append(float(lines[0]))
        drawn += [float(line.split()[1]) for line in lines if line.startswith("frame ")]
    return opened, drawn


def edits(folder: Path, rounds: int = 15) -> list[Timed]:
    """Measure edits of 20,000 words: the edit itself, and until it is on the disk."""
    from app.core import edit
    from app.core.edit import History
    from app.core.find import Wanted, replace_all

    told = [
        _segment(" ".join(f"word{at}x{n}" for n in range(10)), at * 5.0, has_words=True)
        for at in range(2_000)
    ]
    file = folder / "edited" / "library.sqlite"
    found = {
        name: Timed(f"20,000 words: {name}")
        for name in ("type", "split", "merge", "delete", "shift one", "undo", "redo")
    }
    whole = {
        name: Timed(f"20,000 words: {name}")
        for name in ("shift all", "replace one word in all", "undo that")
    }
    saved = Timed("20,000 words: an edit until it is on the disk")
    with LibraryWriter(file, lambda _change: None) as writer:
        writer.add_recording(Recording("r", RecordingKind.FILE, "t", 0.0)).result()
        writer.replace_transcript("r", told).result()
        history = History(told)
        dice = random.Random(3)
        for _ in range(rounds):
            at = dice.randrange(1, 1_900)
            now = history.segments
            words = now[at].text
            for name, make_edit in (
                ("type", lambda: edit.retext(history.segments, at, words + " x")),  # noqa: B023
                ("split", lambda: edit.split(history.segments, at, 14)),  # noqa: B023
                ("merge", lambda: edit.merge(history.segments, at)),  # noqa: B023
                ("delete", lambda: edit.delete(history.segments, at)),  # noqa: B023
                ("shift one", lambda: edit.shift(history.segments, at, 1, 0.05)),  # noqa: B023
            ):
                history.end_run()
                found[name].measure(lambda make_edit=make_edit: history.do(make_edit()))  # type: ignore[misc]
            found["undo"].measure(history.undo)
            found["redo"].measure(history.redo)
            said = [_segment("said anew", at * 5.0, has_words=True)]
            saved.measure(lambda: writer.splice_segments("r", at, 1, said).result())  # noqa: B023
        for _ in range(3):
            count = len(history.segments)
            whole["shift all"].measure(
                lambda: history.do(edit.shift(history.segments, 0, count, 1.0))  # noqa: B023
            )
            whole["replace one word in all"].measure(
                lambda: history.do(replace_all(history.segments, Wanted("x5"), "y5"))
            )
            whole["undo that"].measure(history.undo)
    return [*found.values(), *whole.values(), saved]


def run(count: int, keep: Path | None = None) -> str:
    """Make the library, measure everything, and return the tables."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        home = keep or Path(scratch) / "home"
        file = home / "library.sqlite"
        began = time.perf_counter()
        if not file.exists():
            make(file, count)
        made_s = time.perf_counter() - began
        size = file.stat().st_size / 1e6
        timed = [*searches(file), *lists(file), *edits(Path(scratch))]
        opened, drawn = openings(file)
        shutil.rmtree(Path(scratch) / "edited", ignore_errors=True)
    lines = [
        f"{count:,} transcripts of {_SEGMENTS * _WORDS} words, {size:.0f} MB, made in "
        f"{made_s:.0f} s",
        "",
        markdown(HEAD, [each.row() for each in timed]),
        "",
        markdown(
            ["the app on that library", ""],
            [
                ["open until the first picture", f"{min(opened):.2f} … {max(opened):.2f} s"],
                ["scroll, p50 of a frame", f"{percentile(drawn, 50):.1f} ms"],
                ["scroll, p99 of a frame", f"{percentile(drawn, 99):.1f} ms"],
            ],
        ),
    ]
    return "\n".join(lines)
