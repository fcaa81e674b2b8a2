"""A take to words: what is decoded when, who goes first, and what a long speech does."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from app.audio.frames import Kind
from app.audio.journal import JournalWriter, SectionFormat
from app.config.settings import Settings
from app.core.dictation import Outcome
from app.core.events import PartialChanged, SegmentsFinal
from app.core.job import Priority
from app.core.recording import RecordingKind
from app.core.transcript import Segment, Word
from app.engine.base import Hypothesis, Options, StreamResult
from app.engine.memory import Residency
from app.engine.scripted import PlayedStream, ScriptedRecognizer, ScriptedStream, ScriptedWindow
from app.pipeline import live
from app.pipeline.warm import Warmth
from tests.helpers.dictation import BIG, RATE, Desk, Loads, Samples, says, speech


def record(desk: Desk) -> None:
    desk.microphone.given = 0
    desk.machine.start(RecordingKind.QUICK)
    desk.play_to_end()
    desk.machine.stop()
    desk.until(lambda: desk.now.outcome is not None)


def finals(desk: Desk) -> list[SegmentsFinal]:
    return [event for event in desk.events if isinstance(event, SegmentsFinal)]


@pytest.fixture
def sound() -> Samples:
    return speech()


def test_the_model_is_loaded_and_warm_before_the_first_word(tmp_path: Path, sound: Samples) -> None:
    heard = says("One.", "Two.")
    loads = Loads({"big": heard})
    desk = Desk(tmp_path / "home", sound, loads)
    try:
        record(desk)
        assert [len(window.audio) for window in heard.heard] == [RATE]  # one dummy step
        record(desk)
        assert (loads.count, len(heard.heard)) == (1, 1)  # still loaded, still warm
    finally:
        desk.close()


def test_live_words_overtake_files(tmp_path: Path, sound: Samples) -> None:
    steps = 0

    def file_job() -> Iterator[None]:
        nonlocal steps
        while True:
            steps += 1
            yield None

    desk = Desk(tmp_path / "home", sound, Loads({"big": says("Hello.")}))
    try:
        desk.loop.submit("file", Priority.FILE, file_job)
        record(desk)
        assert desk.now.outcome is Outcome.SAVED
        assert desk.now.text == "Hello."
        before = steps
        desk.until(lambda: steps > before)
    finally:
        desk.loop.cancel("file")
        desk.close()


def test_partials_come_before_the_final_and_the_final_replaces_them(
    tmp_path: Path, sound: Samples
) -> None:
    word = Word("Hello", 1.0, 1.4, 0.9)
    heard = says("Hello there.")
    hypotheses = (Hypothesis((), (word,)), Hypothesis((word,), ()))
    heard.streams = [replace(heard.streams[0], hypotheses=hypotheses)]
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}), speed=4.0)
    try:
        record(desk)
        shown = [(e.committed, e.tail) for e in desk.events if isinstance(e, PartialChanged)]
        assert shown == [("", "Hello"), ("Hello", ""), ("Hello there.", "")]
    finally:
        desk.close()


def test_a_speech_without_pauses_is_cut_and_nothing_is_left_out(
    tmp_path: Path, sound: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_TOO_LONG_S", 1.5)
    heard = says("One.", "Two.", "Three.", "Four.")
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}))
    try:
        record(desk)
        fed = [np.concatenate(stream.fed) for stream in heard.opened]
        assert len(fed) >= 2
        starts = [round(stream.start_s * RATE) for stream in heard.opened]
        for n, start in enumerate(starts[1:]):
            assert start == starts[n] + len(fed[n])  # one goes on where the other ended
        assert desk.now.text.startswith("One. Two.")
    finally:
        desk.close()


def test_after_a_short_pause_the_language_is_still_the_same(tmp_path: Path) -> None:
    heard = says("Eins.", "Zwei.", language="de")
    two = np.concatenate([speech(after_s=0.5), speech("en-02")])
    asked: list[str | None] = []
    heard.on_step = lambda _window, _step: asked.append(
        heard.options.language if heard.options else None
    )
    desk = Desk(tmp_path / "home", two, Loads({"big": heard}))
    try:
        record(desk)
        assert [final.language for final in finals(desk)] == ["de", "de", "de"]
        assert asked[-1] == "de"
        assert None in asked
    finally:
        desk.close()


@dataclass(slots=True)
class Asked(ScriptedRecognizer):
    """Remembers the language each utterance was to be heard in."""

    languages: list[str | None] = field(default_factory=list)

    def open_stream(self, options: Options, start_s: float) -> PlayedStream:
        self.languages.append(options.language)
        return ScriptedRecognizer.open_stream(self, options, start_s)


def utterances(*languages: str) -> tuple[ScriptedStream, ...]:
    return tuple(ScriptedStream(result=StreamResult((), each), text=each) for each in languages)


def test_a_short_word_does_not_decide_the_language_of_what_follows(tmp_path: Path) -> None:
    okay = speech("en-01", before_s=0.0)[: RATE * 3 // 2]
    pause = speech("de-31", before_s=0.0)[-RATE:]  # 1 s of room noise
    german = speech("de-32")
    heard = Asked(streams=utterances("en", "de", "en", "de"))
    sound = np.concatenate([okay, pause, german, okay, pause, german])
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}))
    try:
        record(desk)
        assert heard.languages == [None, None, "de", "de"]
        # Which language it was is known all the same: the last word counts.
        assert [final.language for final in finals(desk)] == ["en", "de", "en", "de", "de"]
    finally:
        desk.close()


class Told:
    """A take that was closed before its words were made."""

    def __init__(self) -> None:
        self.finals: list[SegmentsFinal] = []

    def may_begin(self) -> bool:
        return True

    def is_growing(self) -> bool:
        return False

    def captured_s(self) -> float:
        return 0.0

    def on_heard(self, heard_s: float) -> None: ...

    def on_final(self, final: SegmentsFinal) -> SegmentsFinal:
        self.finals.append(final)
        return final

    def on_silence(self) -> None: ...

    def on_ended(self, error: Exception | None) -> None: ...


def test_sound_after_a_pause_is_heard_in_the_next_utterance(tmp_path: Path) -> None:
    clip = speech(before_s=0.4)
    pause = round(2.17 * RATE)  # in the middle of a word, and of a block
    journal = JournalWriter(tmp_path / "journal", "take", wall_s=0.0)
    for part in (clip[:pause], clip[pause:]):
        journal.begin_section(SectionFormat(RATE))
        for at in range(0, len(part), 320):
            journal.audio(part[at : at + 320, None])
        journal.marker(Kind.PAUSE)
        journal.marker(Kind.RESUME)
    journal.end("stopped")
    journal.close()
    heard = says("One.", "Two.")
    order = live.LiveOrder("take", tmp_path / "journal", BIG, Options())
    told = Told()
    residency = Residency(Loads({"big": heard}), 1 << 30, lambda _event: None)
    for _ in live.transcribe_take(order, residency, Warmth(), told):
        pass
    residency.close()
    before, after = heard.opened
    start = round(before.start_s * RATE)
    assert start + sum(map(len, before.fed)) == pause
    assert round(after.start_s * RATE) == pause
    assert told.finals[0].done_s == pytest.approx(pause / RATE)
    sound = np.concatenate(after.fed)
    assert np.array_equal(sound, clip[pause : pause + len(sound)] / np.float32(32768))


def test_the_vocabulary_is_told_to_the_model(tmp_path: Path, sound: Samples) -> None:
    heard = says("Hello.")
    settings = Settings(vocabulary=("Ada", "Undertone"), languages=("en", "de"))
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}), settings=settings)
    try:
        record(desk)
        assert heard.options is not None
        assert heard.options.glossary == "Ada, Undertone."
        assert heard.options.languages == ("en", "de")
    finally:
        desk.close()


def test_speech_an_utterance_left_without_text_is_read_again(
    tmp_path: Path, sound: Samples
) -> None:
    heard = says("Hello.")
    hello = Segment(1.0, 1.3, "Hello.", confidence=0.9)
    heard.streams = [ScriptedStream((Hypothesis(),), StreamResult((hello,), "en"))]
    heard.script = {0: ScriptedWindow("and how are you")}
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}))
    try:
        record(desk)
        assert desk.now.text == "Hello. and how are you"
        again = heard.heard[-1]
        assert again.start_s == pytest.approx(1.2, abs=0.001), "a little before the gap"
        assert [final.missing for final in finals(desk)] == [(), ()]
    finally:
        desk.close()


def test_speech_that_stays_without_text_is_told(tmp_path: Path, sound: Samples) -> None:
    heard = says("Hello.")
    hello = Segment(1.0, 1.3, "Hello.", confidence=0.9)
    heard.streams = [ScriptedStream((Hypothesis(),), StreamResult((hello,), "en"))]
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}))
    try:
        record(desk)
        (gap,) = finals(desk)[0].missing
        assert gap.start_s == 1.3
        assert gap.end_s > 2.5
    finally:
        desk.close()


def test_an_utterance_without_any_text_was_noise(tmp_path: Path, sound: Samples) -> None:
    heard = says("Hello.")
    heard.streams = [ScriptedStream((Hypothesis(),), StreamResult((), "en"))]
    desk = Desk(tmp_path / "home", sound, Loads({"big": heard}))
    try:
        record(desk)
        assert len(heard.heard) == 1, "only the dummy step"
        assert desk.now.text == ""
    finally:
        desk.close()
