"""How soon a live stream says what was spoken, in seconds of sound.

Sound is fed as a microphone would, 0.1 s at a time, through the VAD that ends utterances; a pass is
given a fixed time, so the figures do not depend on this machine. Words of reference come from
aligning the text that was spoken with its sound.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from time import process_time
from typing import Protocol

import mlx.core as mx
import numpy as np
import soundfile

from app.audio.vad import DICTATION_ENDPOINTING, SpeechDetector, Vad
from app.core.agreement import Hypothesis, normal_form
from app.core.packing import SAMPLE_RATE, Audio
from app.core.transcript import Word
from app.engine.base import Options, StreamResult
from app.engine.whisper.align import find_timings
from app.engine.whisper.mel import log_mel
from app.engine.whisper.recognizer import WhisperRecognizer
from app.engine.whisper.stream import Pace, WhisperStream

DATA = Path(__file__).resolve().parents[1] / "data"
_BLOCK_SAMPLES = SAMPLE_RATE // 10
_PAUSE_S = 1.2  # silence around a clip, enough for the VAD to end it
_LOUD_RATIO = 10 ** (-35 / 10)  # what is this far below speech is a pause
_PIECE_SAMPLES = SAMPLE_RATE // 100


@dataclass(frozen=True)
class Spoken:
    """Sound and the words that are in it, with times."""

    name: str
    audio: Audio
    words: tuple[Word, ...]
    onsets_s: tuple[float, ...]  # where somebody begins to speak


@dataclass
class Figures:
    """What was measured; latencies in seconds of sound."""

    first_partials_s: list[float] = field(default_factory=list)
    commits_s: list[float] = field(default_factory=list)  # words committed while still speaking
    settled_s: list[float] = field(default_factory=list)  # these, and those only the end settled
    words: int = 0
    committed: int = 0
    taken_back: int = 0  # committed words that a later hypothesis did not hold
    changed: int = 0  # committed words that the final text does not have
    lost: int = 0  # those of them that were spoken
    utterances: int = 0
    silent: int = 0  # utterances without any partial
    passes: int = 0
    sound_s: float = 0.0
    partials_cpu_s: float = 0.0
    final_cpu_s: float = 0.0
    final_errors: int = 0


class _PassClock:
    """Every second look at it, a pass has taken its time."""

    def __init__(self, pass_s: float) -> None:
        self._pass_s = pass_s
        self._looks = 0

    def __call__(self) -> float:
        self._looks += 1
        return self._looks // 2 * self._pass_s

    @property
    def passes(self) -> int:
        return self._looks // 2


class Recognize(Protocol):
    """Opens a stream whose passes take the time of the clock."""

    def __call__(self, start_s: float, clock: Callable[[], float]) -> WhisperStream: ...


def whisper_streams(
    recognizer: WhisperRecognizer, options: Options, pace: Pace | None = None
) -> Recognize:
    """Return what opens streams of `recognizer`."""

    def open_stream(start_s: float, clock: Callable[[], float]) -> WhisperStream:
        model = recognizer.model
        return WhisperStream(
            recognizer.loaded,
            recognizer.transcribe,
            options,
            start_s,
            model.max_speech_s,
            short_context=model.has_short_context,
            pace=pace,
            clock=clock,
        )

    return open_stream


def measure(spoken: Iterable[Spoken], open_stream: Recognize, pass_s: float = 0.0) -> Figures:
    """Play all of `spoken` and return what was seen.

    Args:
        spoken: what to play.
        open_stream: begins an utterance.
        pass_s: how long the machine takes for a pass.
    """
    figures = Figures()
    for one in spoken:
        _play(one, open_stream, pass_s, figures)
        figures.words += len(one.words)
        figures.sound_s += len(one.audio) / SAMPLE_RATE
    return figures


@dataclass
class _Utterance:
    stream: WhisperStream
    clock: _PassClock
    start_s: float
    fed: int
    first_partial_s: float | None = None
    commits: list[tuple[Word, float]] = field(default_factory=list)


def _play(one: Spoken, open_stream: Recognize, pass_s: float, figures: Figures) -> None:
    vad, detector = Vad(), SpeechDetector(DICTATION_ENDPOINTING)
    current: _Utterance | None = None
    said: list[tuple[Word, float, bool]] = []  # word, when it was settled, whether before the end
    for start in range(0, len(one.audio), _BLOCK_SAMPLES):
        end = min(len(one.audio), start + _BLOCK_SAMPLES)
        now_s = end / SAMPLE_RATE
        closed = detector.feed(vad.feed(one.audio[start:end]))
        region = detector.open_region
        if current is None and region is not None:
            clock = _PassClock(pass_s)
            begin = int(region.start_s * SAMPLE_RATE)
            stream = open_stream(begin / SAMPLE_RATE, clock)
            current = _Utterance(stream, clock, begin / SAMPLE_RATE, begin)
        if current is None:
            continue
        current.stream.feed(one.audio[current.fed : end])
        current.fed = end
        _listen(current, now_s, pass_s, figures)
        if closed:
            over_s = closed[-1].end_s
            said.extend(_finish(current, now_s, over_s, pass_s, one, figures))
            current = None
    if current is not None:
        end_s = len(one.audio) / SAMPLE_RATE
        said.extend(_finish(current, end_s, end_s, pass_s, one, figures))
    _compare(one, said, figures)


def _listen(current: _Utterance, now_s: float, pass_s: float, figures: Figures) -> None:
    began = process_time()
    for fact in current.stream.step():
        if not isinstance(fact, Hypothesis):
            continue
        known = [word for word, _ in current.commits]
        figures.taken_back += sum(
            a != b for a, b in zip(known, fact.committed, strict=False)
        ) + max(0, len(known) - len(fact.committed))
        current.commits += [(word, now_s + pass_s) for word in fact.committed[len(known) :]]
        if current.first_partial_s is None and (fact.committed or fact.tail):
            current.first_partial_s = now_s + pass_s
    figures.partials_cpu_s += process_time() - began


def _finish(
    current: _Utterance, now_s: float, over_s: float, pass_s: float, one: Spoken, figures: Figures
) -> Iterator[tuple[Word, float, bool]]:
    began = process_time()
    result = StreamResult(())
    for fact in current.stream.finish(over_s):
        result = fact or result
    figures.final_cpu_s += process_time() - began
    figures.passes += current.clock.passes
    figures.utterances += 1
    figures.silent += current.first_partial_s is None
    onsets = [at for at in one.onsets_s if current.start_s - 0.1 <= at <= now_s]
    if current.first_partial_s is not None and onsets:
        figures.first_partials_s.append(current.first_partial_s - onsets[0])
    final = [normal_form(text) for s in result.segments for text in s.text.split()]
    committed = [normal_form(word.text) for word, _ in current.commits]
    figures.committed += len(committed)
    kept = _in_common(committed, final)
    figures.changed += len(committed) - len(kept)
    spoken = [normal_form(w.text) for w in one.words if current.start_s <= w.end_s <= now_s]
    figures.lost += len(_in_common(committed, spoken) - kept)
    yield from ((word, at_s, True) for word, at_s in current.commits)
    # What passes left open is settled by the end, in the final pass's words.
    for a, b in _new(committed, final):
        del a
        yield Word(b, now_s, now_s, 1.0), now_s + pass_s, False


def _new(committed: list[str], final: list[str]) -> Iterator[tuple[int, str]]:
    match = SequenceMatcher(None, committed, final, autojunk=False)
    for what, _, end, begin, stop in match.get_opcodes():
        if what in ("insert", "replace") and end == len(committed):
            yield from ((end, text) for text in final[begin:stop])


def _in_common(one: list[str], other: list[str]) -> set[int]:
    """Return which of `one` stand in `other` too, in the same order."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return {block.a + offset for block in blocks for offset in range(block.size)}


def _compare(one: Spoken, said: list[tuple[Word, float, bool]], figures: Figures) -> None:
    right = [normal_form(word.text) for word in one.words]
    heard = [normal_form(word.text) for word, _, _ in said]
    for place, other in matched(right, heard):
        _, at_s, is_live = said[other]
        figures.settled_s.append(at_s - one.words[place].end_s)
        if is_live:
            figures.commits_s.append(at_s - one.words[place].end_s)


def matched(right: list[str], heard: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of words that stand in both, in order."""
    for block in SequenceMatcher(None, right, heard, autojunk=False).get_matching_blocks():
        yield from ((block.a + offset, block.b + offset) for offset in range(block.size))


def clips(recognizer: WhisperRecognizer, every: int = 1) -> list[Spoken]:
    """Return the clips of `tests/data/speech`, each between two pauses."""
    folder = DATA / "speech"
    chosen = json.loads((folder / "reference.json").read_text())[::every]
    found = []
    for entry in chosen:
        audio, _ = soundfile.read(folder / entry["file"], dtype="float32")
        found.append(
            _spoken(
                recognizer, entry["file"], audio, [(0.0, None, entry["text"])], entry["language"]
            )
        )
    return found


def conversation(recognizer: WhisperRecognizer, name: str, most_s: float = 1e9) -> Spoken:
    """Return (the beginning of) a conversation of `tests/data/conversations`."""
    folder = DATA / "conversations"
    audio, _ = soundfile.read(folder / f"{name}.flac", dtype="float32")
    written = json.loads((folder / f"{name}.json").read_text())
    audio = audio[: int(most_s * SAMPLE_RATE)]
    length_s = len(audio) / SAMPLE_RATE
    turns = [(t["start"], t["end"], t["text"]) for t in written["turns"] if t["end"] < length_s]
    return _spoken(recognizer, name, audio, turns, "en")


def _spoken(
    recognizer: WhisperRecognizer,
    name: str,
    audio: Audio,
    turns: list[tuple[float, float | None, str]],
    language: str,
) -> Spoken:
    rng = np.random.default_rng(len(audio))
    pause = int(_PAUSE_S * SAMPLE_RATE)
    room = rng.standard_normal(len(audio) + 2 * pause).astype(np.float32) * np.float32(1e-4)
    room[pause : pause + len(audio)] += audio
    words: list[Word] = []
    onsets = []
    for start_s, end_s, text in turns:
        begin = int(start_s * SAMPLE_RATE)
        end = len(audio) if end_s is None else int(end_s * SAMPLE_RATE)
        part = audio[begin:end]
        found = aligned(recognizer, part, text, language)
        onset_s, found = _loud_only(part, found)
        by_s = _PAUSE_S + start_s
        words += [Word(w.text, w.start_s + by_s, w.end_s + by_s, 1.0) for w in found]
        onsets.append(onset_s + by_s)
    words.sort(key=lambda word: word.end_s)
    return Spoken(name, room, tuple(words), tuple(onsets))


def aligned(recognizer: WhisperRecognizer, audio: Audio, text: str, language: str) -> list[Word]:
    """Return the words of `text`, which is what `audio` says, with times."""
    loaded = recognizer.loaded
    dimensions = loaded.model.dimensions
    mel = mx.array(log_mel(audio, dimensions.n_mels, 2 * dimensions.n_audio_ctx))[None]
    dtype = loaded.model.decoder.positional_embedding.dtype
    steps = loaded.model.encoder.steps(mel.astype(dtype))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            features = stop.value
            break
    timings = find_timings(
        loaded.model,
        loaded.tokens,
        loaded.model.decoder.cross(features),
        loaded.tokens.encode(" " + text),
        language=language,
        translate=False,
        heads=loaded.heads,
        duration_s=len(audio) / SAMPLE_RATE,
    )
    spoken = [t for t in timings if any(c.isalnum() for c in t.text)]
    return [Word(t.text.strip(), t.start_s, t.end_s, t.probability) for t in spoken]


def _loud_only(audio: Audio, words: list[Word]) -> tuple[float, list[Word]]:
    """Return where it becomes loud, and `words` without the pauses at their ends."""
    count = len(audio) // _PIECE_SAMPLES
    power = np.square(audio[: count * _PIECE_SAMPLES].reshape(count, -1)).mean(axis=1)
    is_loud = power > np.quantile(power, 0.9) * _LOUD_RATIO
    places = np.flatnonzero(is_loud) / 100
    trimmed = []
    for word in words:
        before = places[(places < word.end_s) & (places >= word.start_s)]
        end_s = float(before[-1]) + 0.01 if len(before) else word.end_s
        trimmed.append(Word(word.text, word.start_s, end_s, word.probability))
    return float(places[0]), trimmed


def table(figures: Figures) -> list[tuple[str, str]]:
    """Return the figures as rows of a table: what, and how much."""
    f = figures

    def spread(values: list[float]) -> str:
        if not values:
            return "–"
        p50, p95 = np.quantile(values, [0.5, 0.95])
        return f"p50 {p50:.2f} s, p95 {p95:.2f} s, most {max(values):.2f} s ({len(values)})"

    return [
        ("sound, utterances, passes", f"{f.sound_s:.0f} s, {f.utterances}, {f.passes}"),
        ("first partial after speech starts", spread(f.first_partials_s)),
        ("word committed after it ended", spread(f.commits_s)),
        ("word committed or final after it ended", spread(f.settled_s)),
        ("committed words, of words spoken", f"{f.committed} of {f.words}"),
        ("committed words taken back by a partial", f"{f.taken_back}"),
        ("committed words the final text changed", f"{f.changed} ({f.lost} of them were right)"),
        ("utterances without a partial", f"{f.silent}"),
        ("CPU for partials, per second of sound", f"{f.partials_cpu_s / f.sound_s:.3f} s"),
        ("CPU for finals, per second of sound", f"{f.final_cpu_s / f.sound_s:.3f} s"),
    ]
