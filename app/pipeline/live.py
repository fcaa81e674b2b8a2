"""One take to words while it is spoken: journal → 16 kHz → VAD → engine stream → events.

A job of the engine loop. It reads behind the journal's writer, so what it lags behind is bytes on
disk and nothing is ever dropped; VAD only chooses what is decoded. Each utterance is final when the
speaker pauses, and told at once; a run that failed is followed by one that begins behind the last
final.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from app.audio.frames import Kind
from app.audio.journal_cursor import JournalCursor
from app.audio.vad import DICTATION_ENDPOINTING, SpeechDetector, Vad
from app.core.events import PartialChanged, SegmentsFinal
from app.core.model import Model
from app.core.packing import SAMPLE_RATE, Audio, Region, Window
from app.core.transcript import Word
from app.engine.base import (
    IDLE,
    Hypothesis,
    Idle,
    Options,
    Recognizer,
    Stream,
    StreamResult,
    WindowResult,
)
from app.engine.memory import Residency
from app.pipeline.gaps import Reread, fill_gaps
from app.pipeline.spoken_text import joined
from app.pipeline.warm import Warmth

Steps = Generator[PartialChanged | SegmentsFinal | Idle | None, None, None]

_BLOCK_S = 0.1  # what VAD is fed at once: an utterance ends this soon after its pause
_HISTORY_S = 3.0  # an utterance is certain only a while after it began
_BEHIND_S = 5.0  # so far behind, partials of words long spoken help nobody
_LONG_S = 40.0  # an utterance so long ends at the next short pause …
_TOO_LONG_S = 120.0  # … and one so long anywhere
_SAME_TALK_S = 5.0  # after a shorter pause the language is still the same …
_TELLING_S = 3.0  # … if there was sound enough to know it: one word says little


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """What to make words of.

    Attributes:
        take_id: also names the job of the finals.
        journal: may not be there yet, and may still grow.
        model: what shall do it.
        options: how; a `language` of `None` is detected for each stretch of speech.
        start_s: what lies before is final already.
        silence_s: tell of a silence of this length, once; 0 never.
    """

    take_id: str
    journal: Path
    model: Model
    options: Options
    start_s: float = 0.0
    silence_s: float = 0.0


class Progress(Protocol):
    """How the take stands, and who is told. Thread: engine; every call returns at once."""

    def may_begin(self) -> bool:
        """Whether the take is in the library and its journal is there."""

    def is_growing(self) -> bool:
        """Whether the journal still has a writer."""

    def captured_s(self) -> float:
        """How much sound there is."""

    def on_heard(self, heard_s: float) -> None:
        """The engine has come so far."""

    def on_final(self, final: SegmentsFinal) -> SegmentsFinal | None:
        """Keep `final` before anybody else hears of it; return what was kept, if it was."""

    def on_silence(self) -> None:
        """Nobody has spoken for the time asked for."""

    def on_ended(self, error: Exception | None) -> None:
        """The job has come to its end, or failed; not told when it was cancelled."""


def transcribe_take(
    order: LiveOrder, residency: Residency, warmth: Warmth, progress: Progress
) -> Steps:
    """Make words of a take until it is closed and all of it is final. Thread: engine."""
    try:
        recognizer = yield from residency.acquire(order.model)
        try:
            yield from warmth.steps(recognizer, order.options)
            while not progress.may_begin():
                yield IDLE
            listener = _Listener(order, recognizer, progress)
            try:
                yield from listener.run()
            finally:
                listener.close()
            warmth.used(recognizer)
        finally:
            residency.release(order.model)
    except Exception as error:
        progress.on_ended(error)
        raise
    progress.on_ended(None)


@dataclass(slots=True)
class _Utterance:
    stream: Stream
    start_s: float
    fed: int  # first sample of the take it has not heard
    is_language_given: bool
    heard: list[Audio] = field(default_factory=list)


class _Listener:
    """Follows one journal with one recognizer."""

    def __init__(self, order: LiveOrder, recognizer: Recognizer, progress: Progress) -> None:
        self._order = order
        self._recognizer = recognizer
        self._progress = progress
        self._cursor = JournalCursor(order.journal)
        self._vad = Vad()
        self._detector = SpeechDetector(DICTATION_ENDPOINTING)
        self._base = 0  # sample of the take at which VAD began to listen
        self._end = 0  # samples of the take heard so far
        self._recent: Audio = np.zeros(0, np.float32)  # the last ones
        self._utterance: _Utterance | None = None
        self._language = order.options.language  # what goes for what follows
        self._last_language = order.options.language  # of what was said last
        self._spoke_s = order.start_s  # until when somebody spoke
        self._done_s = order.start_s
        self._told_silence = False
        self._markers = 0

    def close(self) -> None:
        self._cursor.close()

    def run(self) -> Steps:
        yield from self._skip()
        while True:
            audio = self._cursor.read(_BLOCK_S, is_growing=self._progress.is_growing())
            if len(audio):
                yield from self._hear(audio)
            elif self._cursor.is_finished:
                break
            else:
                yield from self._partials(IDLE)
        yield from self._finish_all()

    def _skip(self) -> Iterator[Idle | None]:
        """Pass over what is final already."""
        wanted = round(self._order.start_s * SAMPLE_RATE)
        while self._end < wanted:
            left_s = (wanted - self._end) / SAMPLE_RATE
            audio = self._cursor.read(min(left_s, 30.0), is_growing=self._progress.is_growing())
            self._end += len(audio)
            if not len(audio) and self._cursor.is_finished:
                break
            yield None if len(audio) else IDLE
        self._base = self._end

    def _hear(self, audio: Audio) -> Steps:
        """Take in some sound: follow who speaks, end what is over, show what is said."""
        self._end += len(audio)
        self._progress.on_heard(self._end / SAMPLE_RATE)
        keep = max(round(_HISTORY_S * SAMPLE_RATE), len(audio))
        self._recent = np.concatenate([self._recent, audio])[-keep:]
        closed = self._detector.feed(self._vad.feed(audio).tolist())
        for region in closed:
            yield from self._close_at(self._placed(region))
        self._open_if_speaking()
        yield from self._cut_at_pause()
        self._feed(self._end)
        if self._is_too_long():
            yield from self._close_at(Region(self._spoke_s, self._end / SAMPLE_RATE))
        self._watch_silence()
        behind_s = self._progress.captured_s() - self._end / SAMPLE_RATE
        if behind_s < _BEHIND_S:
            yield from self._partials(None)
        else:
            yield None

    def _placed(self, region: Region) -> Region:
        by_s = self._base / SAMPLE_RATE
        return Region(region.start_s + by_s, region.end_s + by_s)

    def _open_if_speaking(self) -> None:
        region = self._detector.open_region
        if region is None:
            return
        if self._detector.is_speaking:
            self._spoke_s = self._end / SAMPLE_RATE
            self._told_silence = False
        if self._utterance is None and self._detector.is_speaking:
            self._open(self._placed(region).start_s)

    def _open(self, start_s: float) -> None:
        first = self._end - len(self._recent)
        begin = max(round(start_s * SAMPLE_RATE), round(self._done_s * SAMPLE_RATE), first)
        pause_s = begin / SAMPLE_RATE - self._done_s
        options = self._order.options
        if pause_s <= _SAME_TALK_S:
            options = replace(options, language=self._language)
        stream = self._recognizer.open_stream(options, begin / SAMPLE_RATE)
        is_given = options.language is not None
        self._utterance = _Utterance(stream, begin / SAMPLE_RATE, begin, is_given)

    def _feed(self, until: int) -> None:
        """Let the utterance hear what it has not heard, up to the sample `until`."""
        utterance = self._utterance
        if utterance is None or until <= utterance.fed:
            return
        first = self._end - len(self._recent)
        audio = self._recent[utterance.fed - first : until - first]
        utterance.stream.feed(audio)
        utterance.heard.append(audio)
        utterance.fed = until

    def _close_at(self, region: Region) -> Steps:
        """End the utterance that is over; what a short one missed of the region is heard now."""
        if self._utterance is None:
            if region.end_s <= self._done_s:
                return  # it was cut, and nobody has spoken since
            self._open(region.start_s)
        self._feed(min(round(region.end_s * SAMPLE_RATE), self._end))
        yield from self._finish(min(region.end_s, self._end / SAMPLE_RATE))

    def _is_too_long(self) -> bool:
        """Whether a long utterance is at a place where it can be cut."""
        utterance = self._utterance
        if utterance is None:
            return False
        length_s = self._end / SAMPLE_RATE - utterance.start_s
        return length_s > _TOO_LONG_S or (length_s > _LONG_S and not self._detector.is_speaking)

    def _cut_at_pause(self) -> Steps:
        """End the utterance where the person paused the recording: what follows is another."""
        pause = self._passed_pause()
        utterance = self._utterance
        if pause is None or utterance is None or round(utterance.start_s * SAMPLE_RATE) >= pause:
            return
        yield from self._close_at(Region(utterance.start_s, pause / SAMPLE_RATE))
        self._open_if_speaking()

    def _passed_pause(self) -> int | None:
        """Return the sample of the last pause that is new; a block may hold sound behind it."""
        pause = None
        for marker in self._cursor.markers[self._markers :]:
            at = round(marker.at_s * SAMPLE_RATE)
            if at > self._end:  # the cursor is ahead of the sound it has given
                break
            self._markers += 1
            pause = at if marker.kind is Kind.PAUSE else pause
        return pause

    def _watch_silence(self) -> None:
        wanted_s = self._order.silence_s
        silent_s = self._end / SAMPLE_RATE - self._spoke_s
        if wanted_s and silent_s >= wanted_s and not self._told_silence:
            self._told_silence = True
            self._progress.on_silence()

    def _partials(self, otherwise: Idle | None) -> Steps:
        """Let the open utterance work once; yield `otherwise` when there is nothing to do."""
        utterance = self._utterance
        if utterance is None:
            yield otherwise
            return
        for fact in utterance.stream.step():
            if isinstance(fact, Hypothesis):
                yield self._partial(fact.committed, fact.tail, utterance.start_s)
            else:
                yield None if fact is None else otherwise

    def _finish(self, done_s: float) -> Steps:
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return
        result = StreamResult(())
        for fact in utterance.stream.finish(done_s):
            if isinstance(fact, StreamResult):
                result = fact
            else:
                yield None
        if result.language and result.segments:
            self._last_language = result.language
            if not utterance.is_language_given and done_s - utterance.start_s >= _TELLING_S:
                self._language = result.language
        whole = yield from self._reread(utterance, result)
        yield from self._tell(SegmentsFinal(
            self._order.take_id, whole.segments, self._after(done_s), result.language, whole.missing
        ))  # fmt: skip

    def _reread(
        self, utterance: _Utterance, result: StreamResult
    ) -> Generator[Idle | None, None, Reread]:
        """Read again what the text of `utterance` leaves out of what was spoken.

        Without any text there was noise: all of it was decoded at full quality just now.
        """
        whole = Reread(result.segments)
        if not whole.segments:
            return whole
        options, language = self._order.options, result.language or "en"
        sound = np.concatenate(utterance.heard)
        step = round(self._order.model.max_speech_s * SAMPLE_RATE)
        missing: list[Region] = []
        for index, first in enumerate(range(0, len(sound), step)):
            start_s = utterance.start_s + first / SAMPLE_RATE
            end_s = min(start_s + self._order.model.max_speech_s, self._spoke_s)
            if end_s <= start_s:
                break
            window = Window(index, start_s, sound[first : first + step], (Region(start_s, end_s),))
            told = WindowResult(index, whole.segments, language)
            whole = yield from fill_gaps(self._recognizer, window, told, options)
            missing += whole.missing
        return replace(whole, missing=tuple(missing))

    def _after(self, done_s: float) -> float:
        self._done_s = max(done_s, self._done_s + 1 / SAMPLE_RATE)
        return self._done_s

    def _tell(self, final: SegmentsFinal) -> Steps:
        kept = self._progress.on_final(final)
        if kept is None:
            return
        if kept.segments:
            text = joined([segment.text for segment in kept.segments])
            start_s = kept.segments[0].start_s
            yield PartialChanged(self._order.take_id, text, "", start_s)
        yield kept

    def _finish_all(self) -> Steps:
        end_s = self._end / SAMPLE_RATE
        length_s = (self._end - self._base) / SAMPLE_RATE
        closed = self._detector.feed(self._vad.flush().tolist()) + self._detector.flush(length_s)
        for region in closed:
            yield from self._close_at(self._placed(region))
        yield from self._finish(end_s)
        yield from self._tell(
            SegmentsFinal(self._order.take_id, (), self._after(end_s), self._last_language)
        )

    def _partial(
        self, committed: tuple[Word, ...], tail: tuple[Word, ...], start_s: float
    ) -> PartialChanged:
        said, open_ = joined([w.text for w in committed]), joined([w.text for w in tail])
        return PartialChanged(self._order.take_id, said, open_, start_s)
