"""A library of a hundred thousand transcripts: how long anything in it takes.

Times are wall clock, with the processor's own beside them: on a busy machine the
difference is what others took.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.edit import Edit
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.library.reader import LibraryReader
from app.library.search import ListQuery, Sort
from app.library.writer import LibraryWriter
from tests.bench.library_made import (
    BUILD,
    RARE,
    SEGMENTS,
    WORDS,
    library_of,
    long_transcript,
    segment,
    sentences,
    vocabulary,
)
from tests.bench.report import RESULTS, machine, markdown, write_section

ROOT = Path(__file__).parents[2]
FIRST_HITS = 30  # as the window asks for them


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


# Measuring it


def searches(file: Path, rounds: int = 20) -> list[Timed]:
    """Measure a page of hits with its snippets, for each kind of query."""
    words = vocabulary()
    dice = random.Random(11)
    rare, mid = words[8_000:RARE], words[200:1_000]
    phrases = [" ".join(texts[3].split()[2:4]) for texts in sentences(rounds)]
    kinds: dict[str, Callable[[int], ListQuery]] = {
        "rare word": lambda _n: ListQuery(dice.choice(rare) + " "),
        "usual word": lambda _n: ListQuery(dice.choice(mid) + " "),
        "word in nearly all": lambda n: ListQuery(words[n % 3] + " "),
        "two usual words": lambda _n: ListQuery(f"{dice.choice(mid)} {dice.choice(mid)} "),
        "phrase": lambda n: ListQuery(f'"{phrases[n]}"'),
        "one letter, typing": lambda n: ListQuery("bkl"[n % 3]),
        "two letters, typing": lambda _n: ListQuery(dice.choice(mid)[:2]),
        "Chinese": lambda n: ListQuery(("会議", "東京")[n % 2]),
        "word in nearly all, in German": lambda n: ListQuery(words[n % 3] + " ", language="de"),
        "usual word, favourites": lambda _n: ListQuery(dice.choice(mid) + " ", is_favourite=True),
        "usual word, ranked": lambda _n: ListQuery(dice.choice(mid) + " ", ranked=True),
        "word in nearly all, ranked": lambda n: ListQuery(words[n % 3] + " ", ranked=True),
    }
    found = []
    with LibraryReader(file) as reader:
        for name, query in kinds.items():
            first, every = Timed(f"search: {name}"), Timed(f"search: {name}, all of them")
            for number in range(rounds):
                asked = query(number)
                first.measure(lambda asked=asked: _first_hits(reader, asked))  # type: ignore[misc]
                if number < rounds // 2:
                    every.measure(lambda asked=asked: reader.numbers(asked))  # type: ignore[misc]
            found += [first, every]
    return found


def _first_hits(reader: LibraryReader, query: ListQuery) -> object:
    """Read what the window shows of a search before it knows how much there is."""
    numbers = reader.numbers(query, FIRST_HITS)
    return reader.hits_at(numbers, query.text)


def lists(file: Path, rounds: int = 10) -> list[Timed]:
    """Measure what the list asks for: whole lists by their numbers, and the rows of a page."""
    dice = random.Random(13)
    found = []
    with LibraryReader(file) as reader:
        everything = reader.numbers()

        def page() -> object:
            at = dice.randrange(len(everything))
            return reader.recordings_at(everything[at : at + 100])

        asked: dict[str, Callable[[], object]] = {
            "list: 100 rows anywhere": page,
            "list: has it changed": lambda: reader.mark(ListQuery()),
            "list: overview": reader.overview,
            "list: all ids (Select All)": lambda: reader.ids_at(everything),
        }
        for name, fields in _FILTERS.items():
            for sort in Sort:
                query = ListQuery(sort=sort, **fields)  # type: ignore[arg-type]
                asked[f"list: {name}, {sort}"] = lambda query=query: reader.numbers(query)  # type: ignore[misc]
        for name, work in asked.items():
            timed = Timed(name)
            for _ in range(rounds):
                timed.measure(work)
            found.append(timed)
    return found


_FILTERS: dict[str, dict[str, object]] = {
    "everything": {},
    "German": {"language": "de"},
    "failed": {"status": RecordingStatus.FAILED},
    "a usual word": {"text": "the "},
}


def window(file: Path, build: Path, rounds: int = 2) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Open the app on a copy of the library; return what the rounds and what the last one told."""
    home = build / "home"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles an app at each start
    environment["PYTHONPYCACHEPREFIX"] = str(build / "compiled")
    told = []
    for number in range(rounds + 2):  # the first one compiles, the last one does everything
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        shutil.copyfile(file, home / "library.sqlite")
        deeds = "all" if number == rounds + 1 else "open"
        words = [sys.executable, "-m", "tests.bench.library_window", str(home)]
        ended = subprocess.run(
            [*words, repr(time.time()), deeds],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        told.append(json.loads(ended.stdout.strip().split("\n")[-1]))
    shutil.rmtree(home, ignore_errors=True)
    return told[1:-1], told[-1]


def edits(folder: Path, rounds: int = 15) -> list[Timed]:
    """Measure edits of 20,000 words: the edit itself, and until it is on the disk."""
    from app.core import edit
    from app.core.edit import History
    from app.core.find import Wanted, replace_all
    from app.ui.collector import calm_collector

    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped
    calm_collector()  # as the app does
    told = long_transcript()
    file = folder / "edited" / "library.sqlite"
    found = {
        name: Timed(f"20,000 words: {name}")
        for name in ("type", "split", "merge", "delete", "shift one", "undo", "redo")
    }
    whole: dict[str, Callable[[], Edit | None]] = {
        "shift all": lambda: edit.shift(history.segments, 0, len(history.segments), 1.0),
        "replace one word in all": lambda: replace_all(history.segments, Wanted("x5"), "y5"),
        "replace in every word": lambda: replace_all(history.segments, Wanted("word"), "ward"),
        "name the speaker of all": lambda: edit.assign(history.segments, 0, 2_100, "Ada"),
        "delete all": lambda: edit.delete(history.segments, 0, 2_100),
    }
    bulk = {name: Timed(f"20,000 words: {name}") for name in whole}
    undone = Timed("20,000 words: undo one of these")
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
            said = [segment("said anew", at * 5.0, has_words=True)]
            saved.measure(lambda: writer.splice_segments("r", at, 1, said).result())  # noqa: B023
        for name, make_edit in whole.items():
            for _ in range(5):
                bulk[name].measure(lambda make_edit=make_edit: history.do(make_edit()))  # type: ignore[misc]
                undone.measure(history.undo)
    return [*found.values(), *bulk.values(), undone, saved]


def run(count: int, keep: Path | None = None, *, writes: bool = False) -> str:
    """Make the library where there is none yet, measure everything, and return the report."""
    build = keep or BUILD
    load = os.getloadavg()[0]
    file = library_of(build, count)
    found, deeds = [*searches(file), *lists(file), *edits(build / "scratch")], window(file, build)
    shutil.rmtree(build / "scratch", ignore_errors=True)
    opened, told = deeds
    lines = [
        "## A library of a hundred thousand",
        "",
        f"Written by `./run bench library` on {time.strftime('%F %H:%M')}: {machine()}; load "
        f"average {load:.1f} when it began, {os.getloadavg()[0]:.1f} at its end. {count:,} "
        f"transcripts of {SEGMENTS * WORDS} words and one of 20,000, "
        f"{file.stat().st_size / 1e6:.0f} MB. “CPU” is the processor's time "
        "of the thread that works, which others do not add to; where they "
        "take turns with us, wall clock is longer, and so is ours on a shared core: a million "
        f"additions took {_additions_ms():.0f} ms.",
        "",
        markdown(
            ["what is asked for", "goal p99", "p99 CPU", "holds"], _goals(found, opened, told)
        ),
        "",
        _opening(opened, told),
        "",
        "### In the window",
        "",
        "How long until it is done and shown, and for how long the window did not answer "
        "meanwhile: its thread's own work, and by the clock.",
        "",
        markdown(
            ["", "done after", "stood still, CPU", "stood still"],
            [[each["name"], *(f"{each[key]:.0f} ms" for key in _STOOD)] for each in told["done"]],
        ),
        "",
        "### Asked of the library, and edits",
        "",
        markdown(HEAD, [each.row() for each in found]),
    ]
    text = "\n".join(lines)
    if writes:
        write_section(RESULTS, "library", text)
    return text


def _additions_ms() -> float:
    """Return how long this processor takes for something that is always the same."""
    began, total = time.thread_time(), 0
    for number in range(1_000_000):
        total += number
    return (time.thread_time() - began) * 1000


_STOOD = ("took_ms", "stood_cpu_ms", "stood_ms")


def _goals(
    found: list[Timed], opened: list[dict[str, Any]], told: dict[str, Any]
) -> list[list[str]]:
    def worst(begins: str, ends: str = "") -> float:
        named = [each for each in found if each.name.startswith(begins)]
        kept = [each for each in named if not ends or not each.name.endswith(ends)]
        return max(percentile(each.cpu_ms, 99) for each in kept)

    rows = [
        ("the first hits of a search", 50.0, worst("search", "all of them")),
        ("an edit of 20,000 words, one or all", 50.0, worst("20,000 words")),
        ("the window's thread, whatever is done", 50.0,
         max(each["stood_cpu_ms"] for each in told["done"])),
        ("a frame of scrolling", 50.0, percentile(told["scroll"]["frames_cpu_ms"], 99)),
        ("open until the first picture", 1500.0,
         max(each["open_cpu_s"] for each in opened) * 1000),
    ]  # fmt: skip
    return [
        [name, f"{goal:.0f} ms", f"{value:.0f} ms", "yes" if value < goal else "no"]
        for name, goal, value in rows
    ]


def _opening(opened: list[dict[str, Any]], told: dict[str, Any]) -> str:
    clock = sorted(each["open_s"] for each in opened)
    cpu = sorted(each["open_cpu_s"] for each in opened)
    scroll = told["scroll"]
    frames, worked = scroll["frames_ms"], scroll["frames_cpu_ms"]
    return markdown(
        ["the app on that library", ""],
        [
            ["from the process's start to the picture", f"{clock[0]:.2f} … {clock[-1]:.2f} s"],
            ["its processor time, all threads", f"{cpu[0]:.2f} … {cpu[-1]:.2f} s"],
            ["a frame of scrolling, p50 and p99",
             f"{percentile(frames, 50):.1f} and {percentile(frames, 99):.1f} ms"],
            [
                "its processor time, p50 and p99",
                f"{percentile(worked, 50):.1f} and {percentile(worked, 99):.1f} ms",
            ],
            ["memory before and after going to the end and back",
             f"{scroll['before_mb']:.0f} and {scroll['after_mb']:.0f} MB"],
        ],
    )  # fmt: skip
