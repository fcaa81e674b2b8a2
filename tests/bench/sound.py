"""What both sides of a comparison hear: conversations, joined and cut into the same windows."""

import os
from dataclasses import dataclass
from pathlib import Path

import soundfile

from app.audio.decode import MediaStream
from app.audio.speech import SpeechWindows
from app.core.packing import SAMPLE_RATE
from tests.bench.child import Stored
from tests.bench.ours import NANO

_TALKS = Path(__file__).resolve().parents[1] / "data" / "conversations"


@dataclass(frozen=True)
class Input:
    """The sound that both sides hear."""

    sound_s: float
    speech_s: float
    windows: int
    preparing_cpu_s: float  # decoding the file, finding speech, packing


def join_talks(file: Path, seconds: float) -> None:
    """Write the conversations, repeated until there are `seconds` of them, to `file`."""
    talks = sorted(_TALKS.glob("*.flac"))
    left = round(seconds * SAMPLE_RATE)
    with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, "PCM_16") as joined:
        while left > 0:
            for talk in talks:
                audio, _ = soundfile.read(talk, frames=left, dtype="float32")
                joined.write(audio)
                left -= len(audio)
                if left <= 0:
                    break


def prepare(file: Path, stored: Stored) -> Input:
    """Cut the windows of `file` and store them."""
    began = sum(os.times()[:4])  # the decoding child's too
    with MediaStream(file) as stream:
        windows = SpeechWindows(stream, NANO.max_speech_s)
        stored.write((window.audio, window.start_s) for window in windows)
    took = sum(os.times()[:4]) - began
    spans = stored.spans
    speech_s = sum(count for _, count, _ in spans) / SAMPLE_RATE
    return Input(windows.heard_s, speech_s, len(spans), took)
