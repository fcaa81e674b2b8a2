"""Makes the one-second clips that `undertone --self-test` decodes, one of each kind we read.

    uv run --locked python packaging/self_test_clips.py

The sound is a tone of two, made here; the encoders are those PyAV and libsndfile bring.
"""

from pathlib import Path

import av
import numpy as np
import soundfile

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "self_test"
KINDS = {
    "aac": ("aac", 44_100), "aiff": ("", 22_050), "amr": ("libopencore_amrnb", 8_000),
    "3gp": ("libopencore_amrnb", 8_000), "flac": ("", 16_000), "m4a": ("aac", 44_100),
    "mkv": ("libopus", 48_000), "mov": ("aac", 44_100), "mp3": ("libmp3lame", 44_100),
    "mp4": ("aac", 44_100), "ogg": ("libopus", 48_000), "opus": ("libopus", 48_000),
    "wav": ("", 16_000), "webm": ("libopus", 48_000), "wma": ("wmav2", 44_100),
}  # fmt: skip

BIT_RATES = {"libopencore_amrnb": 12_200, "wmav2": 64_000}  # these encoders refuse a default


def tone(rate_hz: int) -> np.ndarray:
    """Return one second of two tones."""
    at = np.arange(rate_hz) / rate_hz
    return (0.2 * np.sin(2 * np.pi * 330 * at) + 0.2 * np.sin(2 * np.pi * 500 * at)).astype("f4")


def write(suffix: str, codec: str, rate_hz: int) -> Path:
    """Write one clip."""
    file = FOLDER / f"tone.{suffix}"
    sound = tone(rate_hz)
    if not codec:
        soundfile.write(file, sound, rate_hz, subtype="PCM_16")
        return file
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        if codec in BIT_RATES:
            stream.bit_rate = BIT_RATES[codec]
        frame = av.AudioFrame.from_ndarray(sound[None, :], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(stream.format, "mono", rate_hz, stream.frame_size or None)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for suffix, (codec, rate_hz) in KINDS.items():
        made = write(suffix, codec, rate_hz)
        print(made.name, made.stat().st_size)
