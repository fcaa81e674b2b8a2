import itertools
from collections.abc import Iterable

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.packing import Audio
from app.engine.voxtral.features import MelStream
from app.engine.voxtral.prompt import Pacing
from app.engine.voxtral.realtime import HearingState
from app.engine.voxtral.realtime_recognizer import VoxtralRealtimeRecognizer
from app.engine.voxtral.session import SLOT_SAMPLES, Session, Written
from tests.engine.voxtral.conftest import drain
from tests.engine.voxtral.golden import FOLDER, STREAM_S, TOLERANCE
from tests.helpers.voxtral_checkpoints import speech_like

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(FOLDER / "realtime.npz") as file:
        return dict(file)


def pieces(sound: Audio, lengths: Iterable[int]) -> Iterable[Audio]:
    first = 0
    for length in itertools.cycle(lengths):
        if first >= len(sound):
            return
        yield sound[first : first + length]
        first += length


def written(session: Session, parts: Iterable[Audio]) -> list[Written]:
    out: list[Written] = []
    for part in parts:
        session.feed(part)
        for _ in session.steps():
            out += session.take()
    session.end()
    for _ in session.steps():
        out += session.take()
    assert session.is_over
    return out + session.take()


def tokens(out: Iterable[Written]) -> list[int]:
    return [one.token for one in out]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_writes_what_hugging_face_writes_offline(
    realtime: VoxtralRealtimeRecognizer, golden: dict[str, np.ndarray], seed: int
) -> None:
    delay = int(golden[f"delay_{seed}"])
    realtime.set_delay(80 * delay)
    out = written(realtime.open_session(), [speech_like(STREAM_S, seed)])
    realtime.set_delay(None)
    # One token more than there are slots after the prompt: the last one is not dropped.
    assert tokens(out) == golden[f"tokens_{seed}"].tolist()
    assert [one.slot for one in out] == list(range(delay, delay + len(out)))


@pytest.mark.parametrize("seed", SEEDS)
def test_logits_are_hugging_faces(
    realtime: VoxtralRealtimeRecognizer, golden: dict[str, np.ndarray], seed: int
) -> None:
    delay = int(golden[f"delay_{seed}"])
    sound = speech_like(STREAM_S, seed)
    silence = -len(sound) % SLOT_SAMPLES + (delay + 11) * SLOT_SAMPLES
    stream = MelStream(128)
    padded = np.pad(sound, (32 * SLOT_SAMPLES, silence))
    mel = np.concatenate([stream.feed(padded), stream.end()])
    assert np.abs(mel[::40] - golden[f"mel_{seed}"]).max() < TOLERANCE
    network = realtime._loaded()
    heard = drain(network.hear(mel, HearingState(network.shape)))
    prompt = [1] + [32] * (32 + delay)
    asked = mx.array([*prompt, *golden[f"tokens_{seed}"].tolist()[:-1]])
    language_model = network.language_model
    x = (language_model.embed_tokens(asked) + heard)[None]
    scales = language_model.delay_scales(delay)
    logits = np.array(language_model.logits(language_model.run(x, language_model.caches(), scales)))
    assert np.abs(logits[0, len(prompt) - 1 :: 4] - golden[f"logits_{seed}"]).max() < TOLERANCE


@settings(max_examples=6, deadline=None)
@given(lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=5), seed=st.integers(0, 3))
def test_how_the_sound_is_cut_does_not_matter(
    narrow: VoxtralRealtimeRecognizer, lengths: list[int], seed: int
) -> None:
    lengths = [max(length, 97) for length in lengths]  # a piece a sample is only slow
    sound = speech_like(2.17, seed)
    whole = tokens(written(narrow.open_session(), [sound]))
    assert tokens(written(narrow.open_session(), pieces(sound, lengths))) == whole


def test_counting_anew_changes_nothing(narrow: VoxtralRealtimeRecognizer) -> None:
    sound = speech_like(6, 5)

    def session(furthest: int) -> Session:
        return Session(
            narrow._loaded(), narrow._marks, narrow._pacing, narrow._scales, furthest=furthest
        )

    whole = written(session(1 << 16), [sound])
    again = written(session(60), pieces(sound, [4_000]))
    assert tokens(again) == tokens(whole)
    differences = [
        abs(a.log_probability - b.log_probability) for a, b in zip(whole, again, strict=True)
    ]
    assert max(differences) < 1e-3


def test_what_a_stream_remembers_stays_flat(narrow: VoxtralRealtimeRecognizer) -> None:
    session = narrow.open_session()
    sound = speech_like(4, 9)
    held = []
    for _ in range(9):
        for piece in pieces(sound, [9_600]):
            session.feed(piece)
            drain_steps(session)
            session.take()
        mx.clear_cache()
        held.append(mx.get_active_memory())
    assert max(held[6:]) - min(held[6:]) <= 64_000
    assert session._n_frames < 8
    assert not session._pending


def drain_steps(session: Session) -> None:
    for _ in session.steps():
        pass


def test_an_ending_mark_in_the_middle_is_a_pause(narrow: VoxtralRealtimeRecognizer) -> None:
    class Ending(Session):
        """Always wants to end."""

        def _write(self, hidden: mx.array) -> None:
            self._marks = marks_where_everything_ends
            super()._write(hidden)

    marks = narrow._marks
    sound = speech_like(1, 0)
    plain = written(narrow.open_session(), [sound])
    from dataclasses import replace

    marks_where_everything_ends = replace(marks, end=plain[0].token)
    out = written(Ending(narrow._loaded(), marks, narrow._pacing, narrow._scales), [sound])
    sounding = [one for one in out if one.slot < 13]
    assert [one.slot for one in sounding] == list(range(6, 13))
    assert sounding[0].token == marks.pad


def test_nothing_is_fed_after_the_end(narrow: VoxtralRealtimeRecognizer) -> None:
    session = narrow.open_session()
    session.end()
    session.end()
    with pytest.raises(ValueError, match="ended"):
        session.feed(np.zeros(10, np.float32))


def test_an_empty_stream_ends(narrow: VoxtralRealtimeRecognizer) -> None:
    assert (
        len(written(narrow.open_session(), [])) == 11
    )  # of 49 slots, 38 are heard before the first token


def test_the_prompt_is_heard_before_the_sound_comes(narrow: VoxtralRealtimeRecognizer) -> None:
    session = narrow.open_session()
    drain_steps(session)
    assert session._slot == 31  # the 32nd slot of silence looks 2.5 ms ahead
    assert session.take() == []


def test_pacing() -> None:
    pacing = Pacing(32, 6)
    assert pacing.prompt_length == 39
    assert pacing.right_silence == 17
