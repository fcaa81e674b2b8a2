"""Voxtral Realtime against Hugging Face on tiny random weights, offline and streaming."""

import gc
import resource
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from app.engine.voxtral.features import MelStream
from app.engine.voxtral.realtime import HearingState, VoxtralRealtime
from app.engine.voxtral.realtime_recognizer import VoxtralRealtimeRecognizer
from app.engine.voxtral.session import Session
from tests.engine.voxtral.conftest import drain, load_realtime
from tests.engine.voxtral.golden import LONG, TOLERANCE
from tests.helpers.voxtral_checkpoints import SIZE, Tiny, speech_like, write_checkpoint

pytestmark = pytest.mark.parity
oracle: Any = pytest.importorskip("tests.parity.voxtral_oracle", exc_type=ImportError)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("voxtral") / "realtime", LONG)


@pytest.fixture(scope="module")
def ours(folder: Path) -> VoxtralRealtimeRecognizer:
    return load_realtime(folder)


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return oracle.realtime_model(folder)


def logits_of(network: VoxtralRealtime, mel: np.ndarray, tokens: Any, delay: int) -> np.ndarray:
    heard = drain(network.hear(mel, HearingState(network.shape)))
    language_model = network.language_model
    x = (language_model.embed_tokens(mx.array(tokens)) + heard)[None]
    scales = language_model.delay_scales(delay)
    hidden = language_model.run(x, language_model.caches(), scales)
    return np.array(language_model.logits(hidden))[0]


def test_the_picture() -> None:
    for seed in range(3):
        sound = oracle.padded(speech_like(3 + 0.37 * seed, seed), 6)
        stream = MelStream(128)
        cuts = np.sort(np.random.default_rng(seed).integers(0, len(sound), 9))
        parts = [stream.feed(part) for part in np.split(sound, cuts)]
        mel = np.concatenate([*parts, stream.end()])
        assert np.abs(mel - oracle.stream_mel(sound).T).max() < TOLERANCE


# 480 slots are 1920 encoder frames: well beyond the encoder's window of 750.
@pytest.mark.parametrize(("slots", "delay"), [(64, 6), (200, 6), (480, 6), (200, 3), (200, 30)])
def test_logits(ours: VoxtralRealtimeRecognizer, theirs: Any, slots: int, delay: int) -> None:
    rng = np.random.default_rng(slots + delay)
    mel = rng.normal(0, 0.7, (slots * 8, 128)).astype(np.float32)
    tokens = rng.integers(0, SIZE, slots)
    reference = oracle.realtime_logits(theirs, mel.T, tokens.tolist(), delay)
    logits = logits_of(ours._loaded(), mel, tokens, delay)
    difference = np.abs(logits - reference).max()
    print(f"max |Δ| {difference:.2g} at σ {reference.std():.2g}, {slots} slots, delay {delay}")
    assert difference < TOLERANCE
    assert (logits.argmax(-1) == reference.argmax(-1)).all()


def test_both_windows_slide_as_theirs(tmp_path: Path) -> None:
    tiny = Tiny(is_realtime=True, audio_window=64, text_window=50)
    folder = write_checkpoint(tmp_path / "narrow", tiny)
    rng = np.random.default_rng(1)
    mel = rng.normal(0, 0.7, (200 * 8, 128)).astype(np.float32)
    tokens = rng.integers(0, SIZE, 200)
    theirs = oracle.realtime_model(folder)
    reference = oracle.realtime_logits(theirs, mel.T, tokens.tolist(), 6)
    logits = logits_of(load_realtime(folder)._loaded(), mel, tokens, 6)
    assert np.abs(logits - reference).max() < TOLERANCE


@pytest.mark.parametrize(("seconds", "delay"), [(4, 6), (20, 6), (8, 3), (8, 12), (8, 30)])
def test_streams_write_what_they_generate(
    ours: VoxtralRealtimeRecognizer, theirs: Any, seconds: int, delay: int
) -> None:
    sound = speech_like(seconds, seconds + delay)
    mel = oracle.stream_mel(oracle.padded(sound, delay))
    prompt = [1] + [32] * (32 + delay)
    expected = oracle.realtime_tokens(theirs, mel, prompt, delay)
    last = oracle.realtime_logits(theirs, mel, [*prompt, *expected], delay)[-1].argmax()
    expected.append(int(last))
    ours.set_delay(80 * delay)
    rng = np.random.default_rng(seconds)
    runs = 10
    for run in range(runs):
        session, tokens = ours.open_session(), []
        cuts = np.sort(rng.integers(0, len(sound), run * 5))
        for part in np.split(sound, cuts):
            session.feed(part)
            for _ in session.steps():
                tokens += [one.token for one in session.take()]
        session.end()
        for _ in session.steps():
            tokens += [one.token for one in session.take()]
        assert tokens == expected
    print(f"{runs} of {runs} ways to cut {seconds} s write the same {len(expected)} tokens")
    ours.set_delay(None)


@dataclass
class Hour:
    """One session that goes on from test to test, and what it held after each minute."""

    session: Session
    written: int = 0
    held: list[int] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)

    def hear_a_minute(self) -> None:
        for sound in (speech_like(20, seed) for seed in range(3)):
            self.session.feed(sound)
            for _ in self.session.steps():
                self.written += len(self.session.take())
        gc.collect()
        mx.clear_cache()
        self.held.append(mx.get_active_memory())
        self.resident.append(resident_bytes())


@pytest.fixture(scope="module")
def hour(ours: VoxtralRealtimeRecognizer) -> Hour:
    return Hour(ours.open_session())


# In parts, because no single test may run for longer than four minutes.
@pytest.mark.parametrize("part", range(12))
def test_an_hour_of_sound(hour: Hour, part: int) -> None:
    for _ in range(5):
        hour.hear_a_minute()
    slots = len(hour.held) * 750
    # All but the delay's, and the slot that looks 2.5 ms ahead.
    assert hour.written == slots - 6 - 1
    print(
        f"{len(hour.held)} min: {hour.held[-1]} bytes held, {hour.resident[-1] >> 10} KiB resident"
    )


def test_an_hour_in_flat_memory(hour: Hour) -> None:
    """The language model's window is full after 11 min; from then on nothing may grow."""
    if len(hour.held) < 60:
        pytest.skip("the hour was not heard")
    minutes = np.arange(45)
    held, resident = np.array(hour.held[15:], float), np.array(hour.resident[15:], float)
    slope, growth = np.polyfit(minutes, held, 1)[0], np.polyfit(minutes, resident, 1)[0]
    print(
        f"{hour.written} tokens; MLX holds {held.min():.0f}…{held.max():.0f} bytes, "
        f"{slope:.1f} more a minute; resident {growth / 1024:.1f} KiB more a minute"
    )
    assert held.max() - held.min() < 200_000
    assert abs(growth) < 200_000


def resident_bytes() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize()
