"""A live utterance of a Whisper model: partials while it is spoken, its final text at the end.

Partials come from passes over a short window of sound, and their committed words only ever grow.
The final text comes from the way files take, and depends on the sound alone; where the two differ,
the final text is right.
Source: LocalAgreement, see `app.core.agreement`; the stop rule, see `app.engine.whisper.follow`.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from time import perf_counter

from app.core.agreement import SETTLE_S, SURE_PROBABILITY, UNSURE_SETTLE_S, Agreement
from app.core.packing import SAMPLE_RATE, Audio
from app.core.transcript import Word
from app.engine.base import IDLE, Hypothesis, Idle, Options, StreamResult
from app.engine.whisper.follow import Follower, Heard, Piece
from app.engine.whisper.transcription import Loaded
from app.engine.whisper.utterance import Finals, Sound, Transcribe

_MOST_WINDOW_S = 20.0
_MOST_NO_SPEECH = 0.6
_LEAST_LOG_PROBABILITY = -1.6
_SURE_OF_LANGUAGE = 0.7
_LANGUAGE_FROM_S = 1.0  # less sound than this says little about the language
_LANGUAGE_UNTIL_S = 3.0  # and after so much it is decided
_SILENCE_KEPT_S = 1.0
_SENTENCE_ENDS = tuple(".?!…。？！")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often there is a pass, and how long a word waits until it stays.

    Attributes:
        first_s: so much sound before the first pass.
        early_hop_s: so much new sound before the next one, until there are words to show.
        early_until_s: but not in longer sound; then it may be no speech.
        hop_s: so much new sound before each later one.
        load: and at least so many times what the last pass took, or passes would pile up.
        settle_s: how far before the end of the sound a word must have ended to stay.
        unsure_settle_s: the same for a word less probable than `sure_probability`.
        sure_probability: from here on the model is sure of a word.
    """

    first_s: float = 0.5
    early_hop_s: float = 0.2
    early_until_s: float = 2.0
    hop_s: float = 0.5
    load: float = 1.2
    settle_s: float = SETTLE_S
    unsure_settle_s: float = UNSURE_SETTLE_S
    sure_probability: float = SURE_PROBABILITY


class WhisperStream:
    """One live utterance. Thread: engine.

    Args:
        loaded: the model.
        transcribe: the way files take.
        options: how to transcribe.
        start_s: where the sound begins in its take.
        max_speech_s: the longest speech the model may hear at once.
        short_context: whether the model may be shown less than its 30 s.
        pace: how often there is a pass.
        clock: seconds that pass while the machine works.
    """

    def __init__(
        self,
        loaded: Loaded,
        transcribe: Transcribe,
        options: Options,
        start_s: float,
        max_speech_s: float,
        *,
        short_context: bool = False,
        pace: Pace | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._start_s = start_s
        self._pace = pace or Pace()
        self._clock = clock
        self._most_window_s = min(max_speech_s, _MOST_WINDOW_S)
        self._follower = Follower(loaded, options, short_context=short_context)
        self._language = self._follower.given_language
        self._guess: str | None = None
        self._agreement = Agreement(
            self._pace.settle_s, self._pace.unsure_settle_s, self._pace.sure_probability
        )
        self._sound = Sound()
        self._finals = Finals(self._sound, transcribe, options, start_s, max_speech_s)
        self._begin = 0  # first sample of the window of the passes
        self._kept: list[Piece] = []  # committed words in the window, times in seconds of the take
        self._tail: tuple[Piece, ...] = ()
        self._heard_end = 0
        self._took_s = 0.0
        self._shown = Hypothesis()

    def feed(self, audio: Audio) -> None:
        """Take in (n_samples,) float32, 16 kHz mono."""
        self._sound.append(audio)

    def step(self) -> Iterator[Hypothesis | Idle | None]:
        """Do what can be done with the sound so far; a pass hears all that is there when it begins.

        Between passes, windows of a long utterance that are over are given their final text.
        """
        is_idle = True
        self._finals.cut()
        while True:
            if self._is_due():
                yield from self._pass()
            elif self._finals.has_work:
                self._finals.step()
                yield None
            else:
                break
            is_idle = False
        if is_idle:
            yield IDLE

    def finish(self, end_s: float | None = None) -> Iterator[StreamResult | None]:
        """Decode what is left before `end_s` at full quality; the result comes last."""
        yield from self._finals.finish(end_s)

    @property
    def window_s(self) -> float:
        """How much sound the next pass would hear."""
        return (self._sound.end - self._begin) / SAMPLE_RATE

    def _is_due(self) -> bool:
        first_samples = self._pace.first_s * SAMPLE_RATE
        if not self._heard_end:
            return self._sound.end >= first_samples
        return self._sound.end - self._heard_end >= self._hop_s() * SAMPLE_RATE

    def _hop_s(self) -> float:
        pace = self._pace
        is_early = self._shown == Hypothesis() and self._heard_end < (
            pace.early_until_s * SAMPLE_RATE
        )
        return max(pace.early_hop_s if is_early else pace.hop_s, pace.load * self._took_s)

    def _pass(self) -> Iterator[Hypothesis | None]:
        begin, end = self._begin, self._sound.end
        heard = Heard((), "", no_speech_probability=1.0)
        if self._kept or not self._sound.is_steady(begin, end):
            heard = yield from self._follow(begin, end)
        self._heard_end = end
        self._take(heard, begin, end)
        self._scroll(end)
        self._sound.forget(min(self._begin, self._finals.begin))
        if self._agreement.hypothesis != self._shown:
            self._shown = self._agreement.hypothesis
            yield self._shown
        else:
            yield None

    def _follow(self, begin: int, end: int) -> Generator[None, None, Heard]:
        kept = [_moved(piece, -self._at_s(begin)) for piece in self._kept]
        began_s = self._clock()
        audio = self._sound.between(begin, end)
        heard = yield from self._follower.follow(audio, kept, self._language)
        self._took_s = self._clock() - began_s
        return heard

    def _take(self, heard: Heard, begin: int, end: int) -> None:
        """Let a pass that heard a window from `begin` to `end` speak."""
        is_speech = bool(self._kept) or (
            heard.no_speech_probability <= _MOST_NO_SPEECH
            and heard.average_log_probability >= _LEAST_LOG_PROBABILITY
        )
        if is_speech and self._language is None:
            self._language = self._decided(heard, (end - begin) / SAMPLE_RATE)
        pieces = heard.pieces if is_speech else ()
        self._tail = tuple(_moved(piece, self._at_s(begin)) for piece in pieces)
        words = [piece.word for piece in self._tail]
        is_sure = self._language is not None
        self._keep(self._agreement.offer(words, self._at_s(end), may_commit=is_sure))

    def _decided(self, heard: Heard, heard_s: float) -> str | None:
        """Return the language once two passes found the same one, or there was sound enough."""
        before, self._guess = self._guess, heard.language
        is_likely = heard.language == before and heard.language_probability >= _SURE_OF_LANGUAGE
        is_sure = is_likely and heard_s >= _LANGUAGE_FROM_S
        return heard.language if is_sure or heard_s >= _LANGUAGE_UNTIL_S else None

    def _keep(self, count: int) -> None:
        """Remember the tokens of the first `count` words of the tail, which were committed."""
        if not count:
            return
        committed = self._agreement.hypothesis.committed[-count:]
        for piece, word in zip(self._tail, committed, strict=False):
            self._kept.append(Piece(word, piece.tokens))
        self._tail = self._tail[count:]

    def _scroll(self, end: int) -> None:
        """Move the window on when the next pass would hear more than the model may."""
        hop_s = self._hop_s()
        if (end - self._begin) / SAMPLE_RATE + hop_s <= self._most_window_s:
            return
        begin_s, end_s = self._at_s(self._begin), self._at_s(end)
        if not self._kept and not self._tail:
            self._begin = max(self._begin, end - round(_SILENCE_KEPT_S * SAMPLE_RATE))
            return
        latest_s = end_s - hop_s
        count = cut_after([piece.word for piece in self._kept], begin_s, latest_s)
        if not count:
            # Passes never agreed: what the last one wrote in the older half is the best there is.
            middle_s = (begin_s + end_s) / 2
            settled = sum(piece.word.end_s <= middle_s for piece in self._tail)
            self._agreement.settle(settled)
            self._keep(settled)
            count = len(self._kept)
        cut_s = self._boundary_s(count) if count else (begin_s + end_s) / 2
        del self._kept[:count]
        self._begin = min(end, max(self._begin, round((cut_s - self._start_s) * SAMPLE_RATE)))

    def _boundary_s(self, count: int) -> float:
        """Return the middle between the kept word number `count` and the one after it."""
        end_s = self._kept[count - 1].word.end_s
        after = (*self._kept, *self._tail)[count:]
        return (end_s + max(end_s, after[0].word.start_s)) / 2 if after else end_s

    def _at_s(self, sample: int) -> float:
        return self._start_s + sample / SAMPLE_RATE


def cut_after(words: list[Word], begin_s: float, end_s: float) -> int:
    """Return after how many of a window's `words` to cut, so that a good part of it goes.

    After a sentence if possible, else at the longest pause, before the last word, so that the next
    pass knows that it begins inside a sentence. Not in the first third, for then the next cut would
    come too soon.
    """
    least_s = begin_s + (end_s - begin_s) / 3
    places = [n for n, word in enumerate(words, start=1) if word.end_s >= least_s]
    if not places:
        return len(words)
    ends = [n for n in places if words[n - 1].text.endswith(_SENTENCE_ENDS)]
    if ends:
        return ends[-1]

    inner = [n for n in places if n < len(words)]
    if not inner:
        return len(words)
    return max(inner, key=lambda n: (round(words[n].start_s - words[n - 1].end_s, 2), n))


def _moved(piece: Piece, by_s: float) -> Piece:
    word = piece.word
    return replace(piece, word=replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s))
