"""Makes the sounds of a take: short, quiet tones of our own, so that nobody's licence is touched.

    uv run --locked python packaging/sounds.py [FOLDER]

Each is one or two soft strokes of a bar: a few partials that fade at their own pace. Rising means
"go on", falling "done"; two low ones are a problem.
"""

import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE_HZ = 44_100
SOUNDS = Path(__file__).resolve().parents[1] / "resources" / "sounds"
PEAK = 0.22  # of full scale: heard, never startling
ATTACK_S = 0.006
TAIL_S = 0.03  # the last moments fade to nothing, so that there is no click

# Frequency as a multiple of the tone's, loudness, and seconds until it has faded to a third.
PARTIALS = ((1.0, 1.0, 0.075), (2.0, 0.32, 0.05), (3.93, 0.10, 0.022))

# Each stroke: when it begins, its tone in Hz, and how loud.
STROKES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "start": ((0.0, 587.33, 0.8), (0.085, 880.0, 1.0)),
    "stop": ((0.0, 880.0, 0.9), (0.085, 587.33, 0.8)),
    "cancel": ((0.0, 440.0, 0.8),),
    "problem": ((0.0, 311.13, 1.0), (0.16, 311.13, 1.0)),
}


def synthesise(name: str) -> npt.NDArray[np.float64]:
    """Return one sound in [-1, 1]."""
    strokes = STROKES[name]
    length_s = strokes[-1][0] + 0.30
    time_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    sound = np.zeros_like(time_s)
    for start_s, tone_hz, loud in strokes:
        since_s = time_s - start_s
        attack = np.clip(since_s / ATTACK_S, 0.0, 1.0)
        for multiple, share, fade_s in PARTIALS:
            wave_ = np.sin(2 * np.pi * tone_hz * multiple * since_s)
            sound += loud * share * attack * np.exp(-np.clip(since_s, 0, None) / fade_s) * wave_
    sound *= np.clip((length_s - time_s) / TAIL_S, 0.0, 1.0)
    faded: npt.NDArray[np.float64] = sound * (PEAK / np.abs(sound).max())
    return faded


def samples(name: str) -> bytes:
    """Return one sound as 16-bit PCM."""
    return (np.round(synthesise(name) * 32767).astype("<i2")).tobytes()


def main() -> None:
    """Write every sound."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SOUNDS
    folder.mkdir(parents=True, exist_ok=True)
    for name in STROKES:
        with wave.open(str(folder / f"{name}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes(samples(name))
        print(folder / f"{name}.wav")


if __name__ == "__main__":
    main()
