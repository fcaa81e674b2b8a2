"""One file's run on the engine loop, with a scripted recognizer."""

import errno
import itertools
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import DecodeFailed
from app.core.events import Event, SegmentsFinal
from app.core.model import Family, Model
from app.core.packing import SAMPLE_RATE, Region, Window
from app.engine.base import Options, Recognizer
from app.engine.memory import Residency
from app.engine.scripted import ScriptedRecognizer, ScriptedWindow
from app.pipeline.file import FileFeed, Plan, WindowReader, transcribe_file
from tests.helpers.words import CONVERSATIONS

MODEL = Model("scripted", "Scripted", Family.SCRIPTED, Path("/"), max_speech_s=2.0)


class FourWindows:
    """Four windows of two seconds, three quarters of them speech."""

    duration_s = 8.0
    heard_s = 0.0

    def __iter__(self) -> Iterator[Window]:
        for index in range(4):
            self.heard_s = (index + 1) * 2.0
            start_s = index * 2.0
            sound = np.zeros(2 * SAMPLE_RATE, np.float32)
            yield Window(index, start_s, sound, (Region(start_s, start_s + 1.5),))

    def close(self) -> None: ...


def finals(tmp_path: Path, heard: dict[int, str]) -> list[SegmentsFinal]:
    def load(model: Model) -> Generator[None, None, Recognizer]:
        yield None
        script = {index: ScriptedWindow(text, language="en") for index, text in heard.items()}
        return ScriptedRecognizer(script, model=model)

    told: list[Event] = []
    residency = Residency(load, 1 << 30, told.append)
    reader = WindowReader(tmp_path / "talk.wav", 2.0, open_windows=lambda *_: FourWindows())
    job = transcribe_file("job", reader, Plan(MODEL), Options(), residency, lambda stage: None)
    facts = [fact for fact in job if isinstance(fact, SegmentsFinal)]
    residency.close()
    return facts


def test_each_window_is_final_once_and_the_last_fact_reaches_the_end(tmp_path: Path) -> None:
    facts = finals(tmp_path, {index: f"window {index}" for index in range(4)})
    assert [fact.done_s for fact in facts] == [2.0, 4.0, 6.0, 8.0, 8.0]
    assert [s.text for f in facts for s in f.segments] == [f"window {i}" for i in range(4)]
    assert not any(fact.missing for fact in facts)


def test_speech_that_stays_without_text_is_told(tmp_path: Path) -> None:
    facts = finals(tmp_path, {0: "window 0", 2: "window 2", 3: "window 3"})
    assert [fact.missing for fact in facts] == [(), (Region(2.0, 3.5),), (), (), ()]


class BrokenFeed(FourWindows):
    """A file whose third window fails in a way nobody thought of."""

    def __iter__(self) -> Iterator[Window]:
        yield from itertools.islice(super().__iter__(), 2)
        raise ValueError("a bug")


def _too_many_files(*_arguments: object) -> FourWindows:
    raise OSError(errno.EMFILE, "Too many open files")


def _out_of_order(*_arguments: object) -> FourWindows:
    raise TypeError("a bug")


@pytest.mark.parametrize(
    ("open_windows", "reason"),
    [
        (_too_many_files, "Too many open files"),
        (_out_of_order, "TypeError"),
        (lambda *_: BrokenFeed(), "ValueError"),
    ],
    ids=["open", "bug", "read"],
)
def test_whatever_ends_the_reading_ends_the_job(
    tmp_path: Path, open_windows: Callable[..., FourWindows], reason: str
) -> None:
    told = threading.Event()
    reader = WindowReader(tmp_path / "talk.wav", 2.0, on_ready=told.set, open_windows=open_windows)
    heard: list[Window] = []

    def take_all() -> None:
        while told.wait(10):  # whoever waits for windows is woken
            told.clear()
            while (window := reader.take()) is not None:
                heard.append(window)

    reader.start()
    with closing(reader), pytest.raises(DecodeFailed, match=f"talk.wav.*{reason}"):
        take_all()
    assert len(heard) == (2 if reason == "ValueError" else 0)
    assert not reader.is_finished


def test_utterances_share_a_window_only_as_long_as_the_model_wants() -> None:
    talk = CONVERSATIONS / "talk-5-1voices.flac"

    def longest_shared_s(target_s: float | None) -> float:
        with closing(FileFeed(talk, 9.0, target_s)) as feed:
            return max(w.end_s - w.start_s for w in feed if len(w.speech) > 1)

    assert longest_shared_s(None) > 6.0
    assert longest_shared_s(6.0) <= 6.0
