"""Media files made on the spot from one clip, with the encoders the app's own libraries bring."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
import soundfile
import soxr

from app.core.packing import SAMPLE_RATE, Audio

SPEECH = Path(__file__).resolve().parents[1] / "data" / "speech"


@dataclass(frozen=True)
class Recipe:
    """How one kind of file is made; `codec` is FFmpeg's, or libsndfile's subtype."""

    name: str
    codec: str
    rate_hz: int
    layout: str = "mono"
    container: str | None = None
    uses_sndfile: bool = False


RECIPES = [
    Recipe("pcm16.wav", "PCM_16", 16_000, uses_sndfile=True),
    Recipe("pcm24-96k.wav", "PCM_24", 96_000, "stereo", uses_sndfile=True),
    Recipe("float.wav", "FLOAT", 44_100, uses_sndfile=True),
    Recipe("pcm8.wav", "PCM_U8", 22_050, uses_sndfile=True),
    Recipe("ulaw-8k.wav", "ULAW", 8_000, uses_sndfile=True),
    Recipe("surround.wav", "PCM_16", 48_000, "5.1", uses_sndfile=True),
    Recipe("clip.aiff", "PCM_16", 44_100, uses_sndfile=True),
    Recipe("clip.flac", "PCM_24", 44_100, "stereo", uses_sndfile=True),
    Recipe("vorbis.ogg", "VORBIS", 44_100, uses_sndfile=True),
    Recipe("opus.ogg", "OPUS", 48_000, uses_sndfile=True),
    Recipe("clip.mp3", "libmp3lame", 44_100, "stereo"),
    Recipe("clip.opus", "libopus", 48_000),
    Recipe("aac.m4a", "aac", 44_100, "stereo"),
    Recipe("alac.m4a", "alac", 48_000),
    Recipe("clip.mp4", "aac", 48_000, "stereo"),
    Recipe("clip.mov", "aac", 48_000),
    Recipe("opus.mkv", "libopus", 48_000),
    Recipe("clip.webm", "libopus", 48_000, "stereo"),
    Recipe("clip.amr", "libopencore_amrnb", 8_000),
    Recipe("clip.3gp", "libopencore_amrnb", 8_000),
    Recipe("clip.wma", "wmav2", 44_100),
    Recipe("clip.aac", "aac", 44_100),
    Recipe("surround.ac3", "ac3", 48_000, "5.1"),
    Recipe("clip.avi", "libmp3lame", 44_100),
    Recipe("clip.ts", "aac", 48_000, "stereo"),
    Recipe("alac.caf", "alac", 44_100),
]


def jfk(seconds: float | None = None) -> Audio:
    """Return the human recording as (n_samples,) float32, 16 kHz mono."""
    return load(SPEECH / "jfk.flac", seconds)


@cache
def _loaded(file: Path) -> Audio:
    audio, rate = soundfile.read(file, dtype="float32", always_2d=True)
    mono: Audio = np.asarray(soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE), np.float32)
    mono.flags.writeable = False
    return mono


def load(file: Path, seconds: float | None = None) -> Audio:
    """Return a clip as (n_samples,) float32, 16 kHz mono, without the code under test."""
    mono = _loaded(file)
    return mono if seconds is None else mono[: int(seconds * SAMPLE_RATE)]


def make(recipe: Recipe, audio: Audio, folder: Path) -> Path:
    """Write `audio` as `recipe` says and return the file."""
    file = folder / recipe.name
    sound = np.asarray(soxr.resample(audio, SAMPLE_RATE, recipe.rate_hz), np.float32)
    if recipe.uses_sndfile:
        n_channels = {"mono": 1, "stereo": 2, "5.1": 6}[recipe.layout]
        channels = np.repeat(sound[:, None], n_channels, axis=1)
        soundfile.write(file, channels, recipe.rate_hz, subtype=recipe.codec)
        return file
    encode(file, sound, recipe)
    return file


def encode(
    file: Path,
    sound: Audio,
    recipe: Recipe,
    *,
    tags: dict[str, str] | None = None,
    flags: str = "",
) -> None:
    """Encode (n_samples,) float32 at the recipe's rate with FFmpeg's encoders."""
    av.logging.set_level(av.logging.PANIC)
    options = {"movflags": flags} if flags else {}
    with av.open(str(file), "w", format=recipe.container, options=options) as container:
        container.metadata.update(tags or {})
        stream: Any = container.add_stream(recipe.codec, rate=recipe.rate_hz, layout=recipe.layout)
        context = stream.codec_context
        if recipe.codec == "wmav2":
            context.bit_rate = 96_000
        context.open(strict=False)
        whole = av.AudioFrame.from_ndarray(sound[None, :], format="flt", layout="mono")
        whole.sample_rate = recipe.rate_hz
        resampler = av.AudioResampler(
            format=context.format,
            layout=recipe.layout,
            rate=recipe.rate_hz,
            frame_size=context.frame_size or 0,
        )
        for frame in [*resampler.resample(whole), *resampler.resample(None)]:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def correlation(one: Audio, other: Audio) -> float:
    """Return the best correlation of two clips over small shifts (codecs delay a little)."""
    n = min(len(one), len(other))
    size = 1 << (2 * n).bit_length()
    cross = np.fft.irfft(np.fft.rfft(one[:n], size) * np.conj(np.fft.rfft(other[:n], size)), size)
    return float(cross.max() / (np.linalg.norm(one[:n]) * np.linalg.norm(other[:n]) + 1e-9))
