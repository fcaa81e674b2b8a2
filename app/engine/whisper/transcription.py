"""One job of a Whisper model: windows in, final results out, one short step at a time.

A window is encoded once; second tries and word times use the sound its row still holds. Only where
its text met the model's limit is the rest a window of its own. What a window becomes depends on
nothing but the window, the options and the windows just before it.
"""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter

import mlx.core as mx
import numpy as np

from app.core.confidence import USUAL, Calibration
from app.core.packing import Window
from app.core.transcript import Segment
from app.engine.base import IDLE, Idle, Options, WindowResult, WindowSource
from app.engine.whisper.align import find_timings
from app.engine.whisper.beam import BeamSearch
from app.engine.whisper.confidence import judged
from app.engine.whisper.decode import Decoded, Rows, detect_language
from app.engine.whisper.glossary import glossary_prompt, is_leaked
from app.engine.whisper.loops import has_loop, outside_loops
from app.engine.whisper.mel import log_mel
from app.engine.whisper.model import KeysValues, Whisper
from app.engine.whisper.rules import Rules
from app.engine.whisper.segments import Cut, compression_ratio, cut_segments
from app.engine.whisper.tokens import Tokens
from app.engine.whisper.truncated import together, what_to_keep
from app.engine.whisper.words import TimedCut, time_cuts

_HIGHEST_COMPRESSION_RATIO = 2.4
_LEAST_LOG_PROBABILITY = -1.0
_MOST_NO_SPEECH = 0.6
_SURE_OF_LANGUAGE = 0.7
_WINDOWS_FOR_LANGUAGE = 3
_SILENT_PEAK = 1e-5  # -100 dBFS: below what a microphone or a file of speech ever holds
_LONGEST_WINDOW_S = 30.1  # rounding of a window's edges may add a little
_STEP_S = 0.045
_MOST_TOKENS_A_STEP = 16


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to decode, and what belongs to it."""

    model: Whisper
    tokens: Tokens
    suppressed: tuple[int, ...] = ()
    heads: tuple[tuple[int, int], ...] = ()
    calibration: Calibration = USUAL


@dataclass(frozen=True, slots=True)
class _Part:
    """A window, or a part of one whose text met the model's limit.

    Attributes:
        window: the sound of this part.
        before: what the parts before it said.
        later: the parts after it.
    """

    window: Window
    before: WindowResult | None = None
    later: tuple[Window, ...] = ()


@dataclass(slots=True)
class _Work:
    part: _Part
    language: str
    prompt: tuple[int, ...]
    tries: list[Decoded] = field(default_factory=list)

    @property
    def window(self) -> Window:
        return self.part.window


@dataclass(slots=True)
class _LanguageMemory:
    """The last windows' language probabilities, which help where one window is not sure."""

    seen: list[list[float]] = field(default_factory=list)

    def decide(self, probabilities: list[float]) -> int:
        self.seen = [*self.seen[1 - _WINDOWS_FOR_LANGUAGE :], probabilities]
        if max(probabilities) >= _SURE_OF_LANGUAGE:
            return int(np.argmax(probabilities))
        return int(np.argmax(np.mean(self.seen, axis=0)))


class Transcription:
    """The state of one job. Thread: engine."""

    def __init__(
        self, loaded: Loaded, windows: WindowSource, options: Options, *, timestamps: bool = True
    ) -> None:
        self._loaded = loaded
        self._windows = windows
        self._options = options
        self._timestamps = timestamps
        tokens = loaded.tokens
        self._glossary = glossary_prompt(options.glossary, tokens.encode)
        self._memory = _LanguageMemory()
        dimensions = loaded.model.dimensions
        self._rules = Rules(tokens, dimensions, timestamps=timestamps, suppressed=loaded.suppressed)
        self._rows = Rows(
            loaded.model,
            self._rules,
            tokens.sot,
            max(1, options.batch_size),
            len(self._prompt("en")),
        )
        self._work: dict[int, _Work] = {}
        self._parts: deque[_Part] = deque()
        self._tokens_a_step = 4

    def run(self) -> Iterator[WindowResult | Idle | None]:
        """Decode until the source is finished; each item is one step."""
        while True:
            yield from self._fill()
            if not self._rows.is_idle:
                for at, decoded in self._advance():
                    result = self._settle(at, decoded)
                    if result is not None:
                        yield result
                yield None
            elif self._windows.is_finished:
                return
            else:
                yield IDLE

    def _fill(self) -> Iterator[WindowResult | None]:
        while (at := self._rows.free()) is not None:
            part = self._next()
            if part is None:
                return
            audio = part.window.audio
            if not len(audio) or float(np.abs(audio).max()) < _SILENT_PEAK:
                nothing = _nothing(part.window, self._options.language or "en")
                result = self._ended(part, nothing)
            else:
                result = yield from self._admit(at, part)
            if result is not None:
                yield result

    def _next(self) -> _Part | None:
        if self._parts:
            return self._parts.popleft()
        window = self._windows.take()
        return None if window is None else _Part(window)

    def _admit(self, at: int, part: _Part) -> Generator[None, None, WindowResult | None]:
        """Encode a window and begin decoding it; with beams, end it too."""
        window = part.window
        model = self._loaded.model
        dimensions = model.dimensions
        if window.end_s - window.start_s > _LONGEST_WINDOW_S:
            raise ValueError(f"window {window.index} is longer than Whisper hears")
        picture = log_mel(window.audio, dimensions.n_mels, 2 * dimensions.n_audio_ctx)
        dtype = model.decoder.positional_embedding.dtype
        features = yield from model.encoder.steps(mx.array(picture)[None].astype(dtype))
        cross = model.decoder.cross(features)
        self._rows.hear(at, cross)
        yield
        language = part.before.language if part.before else self._language(cross)
        self._work[at] = _Work(part, language, self._prompt(language))
        if self._options.beam_size == 1 or self._options.temperatures[0] > 0:
            self._start(at)
            yield
            return None
        search = BeamSearch(
            model,
            self._rules,
            self._rows.heard(at),
            self._work[at].prompt,
            self._options.beam_size,
            self._options.patience,
        )
        decoded = yield from search.steps(self._loaded.tokens.sot)
        return self._settle(at, decoded)

    def _prompt(self, language: str) -> tuple[int, ...]:
        tokens = self._loaded.tokens
        start = tokens.start(
            language, translate=self._options.translate, timestamps=self._timestamps
        )
        return (tokens.sot_prev, *self._glossary, *start) if self._glossary else start

    def _language(self, cross: list[KeysValues]) -> str:
        languages = self._loaded.tokens.languages
        if not languages:
            return "en"
        if self._options.language in languages:
            return self._options.language or "en"
        allowed = [code for code in self._options.languages if code in languages]
        codes = allowed or list(languages)
        sot = self._loaded.tokens.sot
        ids = [languages[code] for code in codes]
        probabilities = detect_language(self._loaded.model, sot, cross, ids)
        return codes[self._memory.decide(probabilities)]

    def _start(self, at: int) -> None:
        work = self._work[at]
        attempt = len(work.tries)
        temperature = self._options.temperatures[attempt]
        seed = work.window.index * len(self._options.temperatures) + attempt
        self._rows.start(at, work.prompt, temperature, seed)

    def _advance(self) -> list[tuple[int, Decoded]]:
        begin = perf_counter()
        done = self._rows.advance(self._tokens_a_step)
        took = perf_counter() - begin
        # Twice as many while there is room, half as many when others had to wait too long.
        if took > _STEP_S:
            self._tokens_a_step = max(1, self._tokens_a_step // 2)
        elif took < _STEP_S / 3:
            self._tokens_a_step = min(_MOST_TOKENS_A_STEP, self._tokens_a_step * 2)
        return done

    def _settle(self, at: int, decoded: Decoded) -> WindowResult | None:
        """Return the window's result, or begin its next try or part and return `None`."""
        work = self._work[at]
        work.tries.append(decoded)
        is_failed = self._is_failed(decoded)
        if is_failed:
            if len(work.tries) < len(self._options.temperatures):
                self._start(at)
                return None
            decoded = self._least_bad(work.tries)
        cuts, later = ([], ()) if _is_silence(decoded) else self._cut(work, decoded, is_failed)
        end_s = later[0].start_s if cuts and later else work.window.end_s
        segments = self._segments(at, work, cuts, decoded, end_s - work.window.start_s)
        self._rows.release(at)
        del self._work[at]
        result = WindowResult(
            index=work.window.index,
            segments=segments,
            language=work.language,
            no_speech_probability=decoded.no_speech_probability,
            average_log_probability=decoded.average_log_probability,
            compression_ratio=self._ratio(decoded),
            temperature=decoded.temperature,
            tokens=len(decoded.tokens),
            is_truncated=not decoded.is_complete and not later,
        )
        return self._ended(work.part, result, later)

    def _cut(
        self, work: _Work, decoded: Decoded, is_failed: bool
    ) -> tuple[list[Cut], tuple[Window, ...]]:
        """Return the text's segments; where it was cut off, those to keep and what is left."""
        window, tokens = work.window, self._loaded.tokens
        cuts = cut_segments(decoded.tokens, tokens, window.end_s - window.start_s)
        # Text that no try got right is gone on from once: it may never come to an end.
        is_last = is_failed and work.part.before is not None
        if decoded.is_complete or not self._timestamps or is_last:
            return cuts, ()
        return what_to_keep(window, cuts, tokens.timestamp_begin, may_halve=not is_failed)

    def _ended(
        self, part: _Part, result: WindowResult, later: tuple[Window, ...] = ()
    ) -> WindowResult | None:
        """Return the result of the whole window, or queue its next part and return `None`."""
        if part.before is not None:
            result = together(part.before, result)
        later = (*later, *part.later)
        if not later:
            return result
        self._parts.append(_Part(later[0], result, later[1:]))
        return None

    def _is_failed(self, decoded: Decoded) -> bool:
        """Whether the reference would try again at the next temperature, or it runs in circles."""
        is_unlikely = decoded.average_log_probability < _LEAST_LOG_PROBABILITY
        if decoded.no_speech_probability > _MOST_NO_SPEECH and is_unlikely:
            return False
        return is_unlikely or self._is_looping(decoded)

    def _is_looping(self, decoded: Decoded) -> bool:
        text = [token for token in decoded.tokens if token < self._loaded.tokens.eot]
        return self._ratio(decoded) > _HIGHEST_COMPRESSION_RATIO or has_loop(text)

    def _ratio(self, decoded: Decoded) -> float:
        return compression_ratio(self._loaded.tokens.decode(decoded.tokens).strip())

    def _least_bad(self, tries: list[Decoded]) -> Decoded:
        """Return the likeliest try that does not loop, or else the first without its loop."""
        straight = [decoded for decoded in tries if not self._is_looping(decoded)]
        if straight:
            return max(straight, key=lambda decoded: decoded.average_log_probability)
        if len(tries) == 1:
            return tries[0]  # the caller wants no second try: it gets what the model said
        first = tries[0]
        kept = outside_loops(first.tokens, self._loaded.tokens.eot)
        return replace(
            first,
            tokens=tuple(first.tokens[place] for place in kept),
            log_probabilities=tuple(first.log_probabilities[place] for place in kept),
        )

    def _segments(
        self, at: int, work: _Work, cuts: list[Cut], decoded: Decoded, duration_s: float
    ) -> tuple[Segment, ...]:
        window, tokens = work.window, self._loaded.tokens
        timed = self._timed(at, work, cuts, decoded, duration_s)
        segments: list[Segment] = []
        for cut, times in zip(cuts, timed, strict=True):
            text = tokens.decode(cut.tokens).strip()
            if not text or is_leaked(text, self._options.glossary):
                continue
            confidence = float(np.mean(np.exp(_log_probabilities(cut, decoded, tokens.eot))))
            segment = Segment(times.start_s, times.end_s, text, times.words, confidence)
            segments.append(segment.shifted(window.start_s))
        return tuple(segments)

    def _timed(
        self, at: int, work: _Work, cuts: list[Cut], decoded: Decoded, duration_s: float
    ) -> list[TimedCut]:
        """Return the segments with their words, or as they are where no words are wanted."""
        if not cuts or not self._options.wants_words:
            return [TimedCut(cut.start_s, cut.end_s, ()) for cut in cuts]
        eot = self._loaded.tokens.eot
        timings = find_timings(
            self._loaded.model,
            self._loaded.tokens,
            self._rows.heard(at),
            [token for cut in cuts for token in cut.text_tokens(eot)],
            language=work.language,
            translate=self._options.translate,
            heads=self._loaded.heads,
            duration_s=duration_s,
        )
        written = [each for cut in cuts for each in _log_probabilities(cut, decoded, eot)]
        timings = judged(timings, written, self._loaded.calibration)
        return time_cuts(cuts, timings, eot, duration_s)


def _log_probabilities(cut: Cut, decoded: Decoded, eot: int) -> list[float]:
    """Return those of a segment's text, timestamps left out."""
    return [
        decoded.log_probabilities[cut.first + offset]
        for offset, token in enumerate(cut.tokens)
        if token < eot
    ]


def _is_silence(decoded: Decoded) -> bool:
    """Whether the reference would say that nobody speaks."""
    is_likely = decoded.average_log_probability > _LEAST_LOG_PROBABILITY
    return decoded.no_speech_probability > _MOST_NO_SPEECH and not is_likely


def _nothing(window: Window, language: str) -> WindowResult:
    return WindowResult(window.index, (), language, no_speech_probability=1.0)
