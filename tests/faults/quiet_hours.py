"""An hour each of what is not speech: how much text is invented.

python -m tests.faults.quiet_hours --minutes 2
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from app.config.paths import resources
from app.core.events import SegmentsFinal
from app.core.model import Family, Model
from app.engine.base import Options
from app.engine.memory import Residency
from app.engine.registry import load
from app.pipeline.file import Plan, WindowReader, transcribe_file

RATE = 16_000
_BLOCK_S = 60
_NANO = Model(
    "nano", "Demonstration", Family.WHISPER, resources() / "models" / "nano", max_speech_s=9.0
)

Sound = npt.NDArray[np.float64]
Noise = Callable[[np.random.Generator, int, float], Sound]  # chance, samples, how far (0…1)


def _db(level: float) -> float:
    return float(10 ** (level / 20))


def _seconds(count: int) -> Sound:
    return np.arange(count) / RATE


def zeros(_chance: np.random.Generator, count: int, _far: float) -> Sound:
    """A muted microphone."""
    return np.zeros(count)


def white_noise(chance: np.random.Generator, count: int, far: float) -> Sound:
    """Noise that rises from -60 to -30 dBFS."""
    return chance.standard_normal(count) * _db(-60 + 30 * far)


def room_tone(chance: np.random.Generator, count: int, _far: float) -> Sound:
    """A room at -45 dBFS: noise that is stronger the lower it is."""
    spectrum = np.fft.rfft(chance.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    sound: Sound = np.fft.irfft(spectrum, count)
    return sound / np.std(sound) * _db(-45)


def keyboard(chance: np.random.Generator, count: int, _far: float) -> Sound:
    """Somebody types: five clicks a second, each a knock and a hiss of 30 ms."""
    sound = chance.standard_normal(count) * _db(-60)
    fade = np.exp(-np.arange(480) / 90)
    for at in chance.integers(0, count - 480, size=5 * count // RATE):
        hiss = chance.standard_normal(480) * fade
        knock = np.sin(2 * np.pi * chance.uniform(180, 400) * _seconds(480)) * fade
        sound[at : at + 480] += (hiss + knock) * _db(chance.uniform(-30, -18))
    return sound


def hum(chance: np.random.Generator, count: int, _far: float) -> Sound:
    """Mains at 50 Hz and its harmonics, -30 dBFS."""
    at = _seconds(count)
    parts = [np.sin(2 * np.pi * 50 * n * at) / n for n in (1, 2, 3, 4, 5, 7)]
    wave: Sound = np.sum(parts, axis=0)
    return wave / np.std(wave) * _db(-30) + chance.standard_normal(count) * _db(-65)


def music(chance: np.random.Generator, count: int, _far: float) -> Sound:
    """Chords, a tune and drums at 120 beats a minute, -20 dBFS."""
    beat = RATE // 2
    sound = np.zeros(count + beat)
    chords = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16))
    for number, at in enumerate(range(0, count, beat)):
        clock = _seconds(beat)
        fade = np.exp(-3 * clock)
        for note in (*chords[number // 4 % 4], 12 + int(chance.choice([0, 2, 4, 7, 9]))):
            pitch = 220 * 2 ** (note / 12)
            tone = sum(np.sin(2 * np.pi * pitch * n * clock) / n**2 for n in (1, 2, 3, 4))
            sound[at : at + beat] += tone * fade
        drum = chance.standard_normal(beat) if number % 2 else np.sin(2 * np.pi * 60 * clock)
        sound[at : at + beat] += drum * np.exp(-25 * clock)
    sound = sound[:count]
    return sound / np.std(sound) * _db(-20)


def breath(chance: np.random.Generator, count: int, _far: float) -> Sound:
    """Somebody breathes close to the microphone every four seconds."""
    sound = chance.standard_normal(count) * _db(-62)
    length = int(1.2 * RATE)
    hiss_of = np.hanning(length)
    for at in range(RATE, count - length, 4 * RATE):
        spectrum = np.fft.rfft(chance.standard_normal(length))
        pitch = np.fft.rfftfreq(length, 1 / RATE)
        spectrum *= (pitch > 300) & (pitch < 3000)
        hiss = np.fft.irfft(spectrum, length)
        sound[at : at + length] += hiss / np.std(hiss) * hiss_of * _db(-38)
    return sound


KINDS: tuple[Noise, ...] = (zeros, white_noise, room_tone, keyboard, hum, music, breath)


@dataclass(frozen=True)
class Heard:
    """What was written about one kind of sound."""

    kind: str
    segments: int
    words: int
    texts: tuple[str, ...]


def write(kind: Noise, file: Path, minutes: float) -> None:
    """Write so many minutes of `kind`."""
    chance = np.random.default_rng(7)
    blocks = max(1, round(minutes * 60 / _BLOCK_S))
    with soundfile.SoundFile(file, "w", RATE, 1, "PCM_16") as out:
        for number in range(blocks):
            far = number / max(1, blocks - 1)
            out.write(np.clip(kind(chance, _BLOCK_S * RATE, far), -1, 1).astype(np.float32))


def listen(kind: Noise, folder: Path, minutes: float) -> Heard:
    """Transcribe `minutes` of `kind` the way a dropped file is."""
    file = folder / f"{kind.__name__}.flac"
    write(kind, file, minutes)
    residency = Residency(load, 1 << 32, lambda _event: None)
    reader = WindowReader(file, _NANO.max_speech_s)
    job = transcribe_file(
        "job", reader, Plan(_NANO), Options(language="en"), residency, lambda _stage: None
    )
    texts = tuple(_texts(job))
    residency.close()
    file.unlink()
    return Heard(kind.__name__, len(texts), sum(len(text.split()) for text in texts), texts)


def _texts(job: Iterator[object]) -> Iterator[str]:
    for fact in job:
        if isinstance(fact, SegmentsFinal):
            yield from (segment.text for segment in fact.segments)


def run(minutes: float) -> str:
    """Listen to every kind; nothing may be said of zeros, one segment an hour of the others."""
    with tempfile.TemporaryDirectory(prefix="undertone-quiet-") as made:
        heard = [listen(kind, Path(made), minutes) for kind in KINDS]
    for one in heard:
        most = 0 if one.kind == "zeros" else max(1, round(minutes / 60))
        assert one.segments <= most, f"{one.kind}: {one.texts}"
        assert one.words == 0 or one.kind != "zeros"
    told = ", ".join(f"{one.kind.replace('_', ' ')} {one.segments}" for one in heard)
    return f"{minutes:g} minutes each, segments: {told}"


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=60)
    print(run(words.parse_args().minutes))
