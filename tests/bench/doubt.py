"""How much more often doubtful words are wrong, in recordings with noise over them.

Recordings are heard as the app hears files: speech found, windows packed, the built-in model. What
was heard is compared with what was spoken, word by word, and kept for the everyday tests.
"""

import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from app.audio.decode import MediaStream
from app.audio.speech import SpeechWindows
from app.config.paths import resources
from app.core.confidence import RAW, log_odds
from app.core.packing import SAMPLE_RATE, Audio
from app.core.transcript import Segment
from app.engine.base import ListSource, Options, WindowResult
from app.engine.whisper.recognizer import WhisperRecognizer
from app.models.catalog import load_catalog
from tests.bench.doubt_words import (
    HEADLINE,
    Heard,
    Noise,
    fitted,
    keep_heard,
    load_about,
    load_heard,
    marks_table,
    reliability,
    shipped,
)
from tests.bench.ours import NANO, load_model
from tests.bench.report import RESULTS, machine, write_section
from tests.helpers.words import CONVERSATIONS, SPEECH, clips, words_of

NOISES = (
    Noise(),
    Noise("white", 30.0),
    HEADLINE,
    Noise("white", 15.0),
    Noise("white", 10.0),
    Noise("soft", 20.0),
    Noise("soft", 10.0),
)
FITTED_NOISES = (Noise(), HEADLINE, Noise("white", 15.0), Noise("white", 10.0))
_SEEDS, _HEADLINE_SEEDS = 1, 4
_SOFT_SAMPLES = 8
UNFINISHED = Path(tempfile.gettempdir()) / "undertone-bench-doubt"
# Voices of the clips that no conversation has.
NEW_VOICES = {"en-us", "flite-awb"} | {
    f"en-us+{name}" for name in ("Michael", "david", "f2", "linda", "m1", "m7")
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sound, its words in order, and which of them a new voice speaks."""

    audio: Audio
    power: float
    words: tuple[str, ...]
    new_voice: tuple[bool, ...]


def talks() -> list[Spoken]:
    """Return the conversations."""
    found = []
    for file in sorted(CONVERSATIONS.glob("*.json")):
        turns = json.loads(file.read_text(encoding="utf-8"))["turns"]
        audio, _rate = soundfile.read(file.with_suffix(".flac"), dtype="float32")
        said = [
            audio[round(turn["start"] * SAMPLE_RATE) : round(turn["end"] * SAMPLE_RATE)]
            for turn in turns
        ]
        ordered = sorted(turns, key=lambda turn: float(turn["start"]))
        words = tuple(word for turn in ordered for word in words_of(turn["text"]))
        power = float(np.mean(np.square(np.concatenate(said))))
        found.append(Spoken(audio, power, words, (False,) * len(words)))
    return found


def joined_clips(seed: int) -> Spoken:
    """Return the English clips in an order of chance, with pauses."""
    order = [clip for clip in clips() if clip["language"] == "en"]
    random.Random(seed).shuffle(order)
    rng = np.random.default_rng(seed)
    sounds = [soundfile.read(SPEECH / clip["file"], dtype="float32")[0] for clip in order]
    parts: list[Audio] = []
    words: list[str] = []
    new_voice: list[bool] = []
    for clip, sound in zip(order, sounds, strict=True):
        parts += [sound, np.zeros(int(SAMPLE_RATE * rng.uniform(0.5, 1.5)), np.float32)]
        said = words_of(clip["text"])
        words += said
        new_voice += [clip["voice"] in NEW_VOICES] * len(said)
    power = float(np.mean([np.mean(np.square(sound)) for sound in sounds]))
    return Spoken(np.concatenate(parts), power, tuple(words), tuple(new_voice))


def noisy(spoken: Spoken, noise: Noise, seed: int) -> Audio:
    """Return the sound with noise below its speech."""
    if noise.snr_db is None:
        return spoken.audio
    added = np.random.default_rng(seed).standard_normal(len(spoken.audio))
    if noise.kind == "soft":
        added = np.convolve(added, np.ones(_SOFT_SAMPLES) / _SOFT_SAMPLES, "same")
        added /= np.sqrt(np.mean(np.square(added)))
    added *= np.sqrt(spoken.power / 10 ** (noise.snr_db / 10))
    mixed: Audio = np.clip(spoken.audio + added, -1, 1).astype(np.float32)
    return mixed


def hear(recognizer: WhisperRecognizer, audio: Audio, joins_up_to_s: float) -> list[WindowResult]:
    """Return what is heard in each window, in order."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "noisy.wav"
        soundfile.write(file, audio, SAMPLE_RATE)
        with MediaStream(file) as stream:
            found = SpeechWindows(stream, recognizer.model.max_speech_s, target_s=joins_up_to_s)
            windows = list(found)
    facts = recognizer.transcribe(ListSource(windows), Options(language="en"))
    results = [fact for fact in facts if isinstance(fact, WindowResult)]
    return sorted(results, key=lambda result: result.index)


def pairs(spoken: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield for each heard word its place, the place it stands for, and whether it is right.

    The alignment is the one with the fewest words wrong, missing or too many; of equals, the last.
    """
    costs = np.zeros((len(spoken) + 1, len(heard) + 1), np.int32)
    costs[:, 0], costs[0] = np.arange(len(spoken) + 1), np.arange(len(heard) + 1)
    columns = np.arange(len(heard) + 1)
    said = np.array(heard, dtype=object)
    for row, word in enumerate(spoken, 1):
        best = costs[row - 1] + 1
        if len(heard):
            best[1:] = np.minimum(best[1:], costs[row - 1, :-1] + (said != word))
        # A word too many costs 1 for each column since the best one.
        costs[row] = np.minimum.accumulate(best - columns) + columns
    row, column = len(spoken), len(heard)
    while column:
        is_right = row > 0 and spoken[row - 1] == heard[column - 1]
        if row and costs[row, column] == costs[row - 1, column - 1] + (not is_right):
            row, column = row - 1, column - 1
            yield column, row, is_right
        elif costs[row, column] == costs[row, column - 1] + 1:
            column -= 1
            yield column, max(0, row - 1), False
        else:
            row -= 1


def compared(
    spoken: Spoken, results: Sequence[WindowResult], noise: Noise, seed: int, *, is_held_out: bool
) -> Heard:
    """Return how sure the model was of each word, and whether it is right."""
    windows = [list(_words_in(result.segments)) for result in results]
    owners = [
        (at, place, part)
        for at, words in enumerate(windows)
        for place, (text, _probability) in enumerate(words)
        for part in words_of(text)
    ]
    wrong = [["0"] * len(words) for words in windows]
    new_voice = [["0"] * len(words) for words in windows]
    for column, row, is_right in pairs(spoken.words, [part for _, _, part in owners]):
        at, place, _ = owners[column]
        if not is_right:
            wrong[at][place] = "1"
        if spoken.new_voice[row]:
            new_voice[at][place] = "1"
    return Heard(
        is_held_out=is_held_out,
        noise=noise,
        seed=seed,
        windows=tuple(tuple(round(log_odds(p), 2) for _, p in words) for words in windows),
        wrong=tuple(map("".join, wrong)),
        new_voice=tuple(map("".join, new_voice)),
    )


def _words_in(segments: Sequence[Segment]) -> Iterator[tuple[str, float]]:
    for segment in segments:
        for word in segment.words:
            if any(map(str.isalnum, word.text)):
                yield word.text, word.probability


def recordings(noises: Sequence[Noise] = NOISES) -> Iterator[tuple[Spoken, Noise, int, bool]]:
    """Yield what is heard: sound, noise, seed, and whether it is held out."""
    for noise in noises:
        seeds = _HEADLINE_SEEDS if noise == HEADLINE else _SEEDS
        for seed in range(seeds):
            yield joined_clips(seed), noise, 100 + seed, True
        if noise in FITTED_NOISES:
            for seed, spoken in enumerate(talks()):
                yield spoken, noise, seed, False


def hear_all(folder: Path, noises: Sequence[Noise] = NOISES) -> list[Heard]:
    """Hear every recording; what is in `folder` already, from a run that was stopped, stays."""
    folder.mkdir(parents=True, exist_ok=True)
    recognizer = load_model(replace(NANO, calibration=RAW))
    joins_up_to_s = load_catalog(resources() / "models.toml")[0].joins_up_to_s
    found: list[Heard] = []
    for spoken, noise, seed, is_held_out in recordings(noises):
        file = folder / f"{noise.kind}-{noise.snr_db}-{seed}.json"
        if not file.exists():
            results = hear(recognizer, noisy(spoken, noise, seed), joins_up_to_s)
            heard = compared(spoken, results, noise, seed, is_held_out=is_held_out)
            keep_heard([heard], "", file)
        (heard,) = load_heard(file)
        print(f"{noise.name}: {seed}, {heard.labels().mean():.1%} wrong", flush=True)
        found.append(heard)
    recognizer.close()
    return found


_ABOUT = """\
Written by `./run bench doubt` on {date}: {machine}. {kept} Recordings are heard as files are: \
speech found, windows packed, the built-in nano model with word times; noise lies so many dB \
below the speech (“white, 20 dB” is that of `tests/e2e/test_noise.py`). A word counts as wrong \
where the alignment with what was spoken substitutes or inserts it; missing words cannot be \
marked. Marks are chosen as the app does: the least sure twentieth of a recording, and only words \
more probably wrong than right. “Most possible” is the ratio if every mark were right: where half \
of all words are wrong nothing can reach 3×. The calibration ({calibration}) is fitted on the \
five conversations, in the noises of their table, and measured on the 30 English clips, joined in \
orders of chance: other sentences, and for half of the clips other voices too (“new to it”). What \
it looks at was chosen by leaving one conversation out in turn. Only nano is measured: larger \
models take the rounded values of `core/confidence` until somebody measures theirs."""


def report(heard: Sequence[Heard], kept: str) -> str:
    """Return the section: marks and calibration on what was held out, then where it was fitted."""
    calibration = shipped()
    held_out = [each for each in heard if each.is_held_out]
    seen = [each for each in heard if not each.is_held_out]
    about = _ABOUT.format(
        date=time.strftime("%Y-%m-%d %H:%M"),
        machine=machine(),
        kept=kept,
        calibration=f"{calibration.own} · own, {calibration.around} · around, {calibration.offset}",
    )
    return "\n\n".join(
        [
            "## Doubtful words",
            about,
            "### Held out: the clips",
            marks_table(held_out, calibration),
            reliability(held_out, calibration),
            "### What it was fitted on: the conversations",
            marks_table(seen, calibration),
            reliability(seen, calibration),
        ]
    )


def run(*, uses_kept: bool = False, writes: bool = False) -> str:
    """Hear everything, or take what was kept; return the section and keep it when asked to."""
    heard = load_heard() if uses_kept else hear_all(UNFINISHED)
    best = fitted(each for each in heard if not each.is_held_out)
    if uses_kept:
        kept = load_about()
    else:
        kept = f"Heard on {time.strftime('%Y-%m-%d')} with nano."
        if writes:
            keep_heard(heard, kept)
        shutil.rmtree(UNFINISHED)
    text = report(heard, kept)
    if writes:
        write_section(RESULTS, "doubt", text)
    return f"{text}\n\nBest for the conversations: {best}; in resources/models.toml: {shipped()}"
