"""Long, noisy sound on the command line: as right as its clips, every word in its place."""

import json
import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.helpers.words import SPEECH, clips, undertone, word_error_rate

RATE = 16_000
SNR_DB = 20.0
MOST_WORSE = 0.03
_MINUTES = 10.0

Sound = npt.NDArray[np.float32]


def _noisy(sound: Sound, rng: np.random.Generator, speech_power: float) -> Sound:
    """Add white noise that lies `SNR_DB` below the power of speech."""
    noise = rng.standard_normal(len(sound)) * np.sqrt(speech_power / 10 ** (SNR_DB / 10))
    added: Sound = np.clip(sound + noise, -1, 1).astype(np.float32)
    return added


def _order(count: int, seconds: float, lengths: list[float]) -> list[int]:
    """Return clips in a fixed random order, repeated until they last `seconds`."""
    chance, order, left = random.Random(20), list[int](), seconds
    while left > 0:
        for index in chance.sample(range(count), count):
            order.append(index)
            left -= lengths[index] + 1.0
            if left <= 0:
                break
    return order


@pytest.mark.soak
def test_ten_noisy_minutes_are_read_like_their_clips(tmp_path: Path) -> None:
    english = [clip for clip in clips() if clip["language"] == "en"]
    sounds = [soundfile.read(SPEECH / clip["file"], dtype="float32")[0] for clip in english]
    power = float(np.mean([np.mean(np.square(sound)) for sound in sounds]))
    rng = np.random.default_rng(20)
    order = _order(len(english), _MINUTES * 60, [len(sound) / RATE for sound in sounds])
    places, parts, at = list[tuple[int, int]](), list[Sound](), 0
    for index in order:
        pause = np.zeros(int(RATE * rng.uniform(0.5, 1.5)), np.float32)
        places.append((at, at + len(sounds[index])))
        parts += [sounds[index], pause]
        at += len(sounds[index]) + len(pause)
    noisy = _noisy(np.concatenate(parts), rng, power)
    joined, alone = tmp_path / "joined.flac", tmp_path / "alone"
    soundfile.write(joined, noisy, RATE)
    alone.mkdir()
    for number, (begin, end) in enumerate(places):
        soundfile.write(alone / f"{number:03}.flac", noisy[begin:end], RATE)

    done = undertone(
        "transcribe", joined, alone, "--language", "en", "--words", "--format", "json",
        "--output", tmp_path / "out", home=tmp_path / "home", timeout_s=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    read = {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in (tmp_path / "out").glob("*.json")
    }
    texts = {name: " ".join(s["text"] for s in said["segments"]) for name, said in read.items()}
    one_by_one = word_error_rate(
        [(english[index]["text"], texts[f"{number:03}"]) for number, index in enumerate(order)]
    )
    whole = " ".join(english[index]["text"] for index in order)
    together = word_error_rate([(whole, texts["joined"])])
    print(f"word error rate {together:.3f}, one by one {one_by_one:.3f}")
    assert together <= one_by_one + MOST_WORSE, f"{together:.3f}, one by one {one_by_one:.3f}"

    length_s = len(noisy) / RATE
    for segment in read["joined"]["segments"]:
        words = segment["words"]
        assert " ".join(word["text"] for word in words).split() == segment["text"].split()
        times = [time for word in words for time in (word["start_s"], word["end_s"])]
        assert times == sorted(times), "words follow each other"
        assert 0 <= times[0] <= times[-1] <= length_s + 0.05
        assert all(0 <= word["probability"] <= 1 for word in words)
