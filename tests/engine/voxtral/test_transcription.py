import math
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from app.core.packing import Audio, Region, Window
from app.engine.base import IDLE, ListSource, Options, StreamResult, WindowResult
from app.engine.voxtral.decode import End, decode_steps
from app.engine.voxtral.features import window_mel
from app.engine.voxtral.guards import token_budget
from app.engine.voxtral.recognizer import VoxtralRecognizer
from tests.engine.voxtral.conftest import drain, load_offline
from tests.engine.voxtral.golden import FOLDER, SHORT, SOUNDS, TOLERANCE, noise_mel
from tests.helpers.voxtral_checkpoints import Tiny, speech_like, write_checkpoint

ENDS = (2, 4, 11)


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(FOLDER / "offline.npz") as file:
        return dict(file)


def heard(offline: VoxtralRecognizer, seed: int) -> mx.array:
    mel = window_mel(speech_like(2, seed), 128, 2 * SHORT.positions)
    return drain(offline.loaded.network.hear(mel))


def window(index: int, audio: Audio, start_s: float = 0.0) -> Window:
    end_s = start_s + len(audio) / 16_000
    return Window(index, start_s, audio, (Region(start_s, end_s),))


def results(
    offline: VoxtralRecognizer, windows: list[Window], options: Options | None = None
) -> list[WindowResult]:
    facts = offline.transcribe(ListSource(list(windows)), options or Options())
    return [fact for fact in facts if isinstance(fact, WindowResult)]


@pytest.mark.parametrize("seed", SOUNDS)
def test_logits_are_hugging_faces(
    offline: VoxtralRecognizer, golden: dict[str, np.ndarray], seed: int
) -> None:
    network = offline.loaded.network
    prompt = golden["prompt"].tolist()
    x = network.embed(prompt, 24, [drain(network.hear(noise_mel(seed)))])
    language_model = network.language_model
    logits = np.array(language_model.logits(language_model.run(x, language_model.caches())))
    assert np.abs(logits[0, -8:] - golden[f"logits_{seed}"]).max() < TOLERANCE


@pytest.mark.parametrize("size", [1, 2, 4])
def test_tokens_are_hugging_faces_in_any_batch(
    offline: VoxtralRecognizer, golden: dict[str, np.ndarray], size: int
) -> None:
    network = offline.loaded.network
    prompt = golden["prompt"].tolist()
    for first in range(0, len(SOUNDS), size):
        seeds = SOUNDS[first : first + size]
        x = network.embed(prompt, 24, [heard(offline, seed) for seed in seeds])
        rows = drain(decode_steps(network, x, [24] * len(seeds), ENDS))
        for seed, row in zip(seeds, rows, strict=True):
            written = golden[f"tokens_{seed}"].tolist()
            assert row.tokens == [token for token in written if token not in ENDS]
            assert (row.end is End.SAID) == (written[-1] in ENDS)


def test_the_picture_is_hugging_faces(golden: dict[str, np.ndarray]) -> None:
    for seed in SOUNDS:
        mel = window_mel(speech_like(2, seed), 128, 2 * SHORT.positions)
        assert np.abs(mel[::20] - golden[f"mel_{seed}"]).max() < TOLERANCE


def test_results_do_not_depend_on_the_batch(offline: VoxtralRecognizer) -> None:
    windows = [window(n, speech_like(1.0 + 0.1 * n, n), 3.0 * n) for n in range(6)]
    alone = results(offline, windows, Options(batch_size=1))
    together = sorted(results(offline, windows, Options(batch_size=4)), key=lambda r: r.index)
    assert [r.tokens for r in together] == [r.tokens for r in alone]
    assert [[s.text for s in r.segments] for r in together] == [
        [s.text for s in r.segments] for r in alone
    ]
    assert any(r.tokens for r in alone)


def test_segments_lie_in_the_speech_and_have_no_words(offline: VoxtralRecognizer) -> None:
    audio = speech_like(2, 3)
    speech = (Region(10.2, 10.9), Region(11.1, 11.8))
    (result,) = results(offline, [Window(7, 10.0, audio, speech)], Options(language="en"))
    assert result.index == 7
    assert result.language == "en"
    assert result.segments
    assert result.segments[0].start_s == 10.2
    assert result.segments[-1].end_s == pytest.approx(11.8)
    for segment in result.segments:
        assert segment.words == ()
        assert segment.confidence is not None
        assert 0 < segment.confidence <= 1
    assert result.average_log_probability == pytest.approx(
        math.log(result.segments[0].confidence or 0)
    )


def test_the_language_changes_the_prompt(offline: VoxtralRecognizer) -> None:
    windows = [window(n, speech_like(2, n)) for n in range(4)]
    texts = {
        tuple(segment.text for r in results(offline, windows, options) for segment in r.segments)
        for options in (Options(), Options(language="en"), Options(languages=("hi",)))
    }
    assert len(texts) == 3


def test_a_window_without_speech_is_not_asked(offline: VoxtralRecognizer) -> None:
    silent = Window(3, 0.0, np.zeros(16_000, np.float32), ())
    assert results(offline, [silent]) == [WindowResult(3, (), "")]


def test_nothing_is_lost_of_a_model_that_does_not_end(tmp_path: Path) -> None:
    tiny = Tiny(positions=400, does_end=False)
    offline = load_offline(write_checkpoint(tmp_path / "endless", tiny))
    (result,) = results(offline, [window(0, speech_like(8, 1), 100.0)])
    assert result.is_truncated
    assert result.segments
    assert result.segments[0].start_s == 100.0
    assert result.segments[-1].end_s == pytest.approx(108.0)
    starts = [segment.start_s for segment in result.segments]
    assert starts == sorted(starts)
    assert len(starts) >= 2  # decoded again in pieces


def test_budgets_end_a_row(offline: VoxtralRecognizer, golden: dict[str, np.ndarray]) -> None:
    network = offline.loaded.network
    x = network.embed(golden["prompt"].tolist(), 24, [heard(offline, seed) for seed in SOUNDS])
    rows = drain(decode_steps(network, x, [1, 1, 1, 1], ENDS))
    assert any(row.end is End.RAN_OUT for row in rows)
    assert all(len(row.tokens) <= 1 for row in rows)
    assert token_budget(30) == 384


def test_more_sound_than_a_window_holds_is_cut_not_dropped(offline: VoxtralRecognizer) -> None:
    (result,) = results(offline, [window(0, speech_like(5, 3))])
    assert not result.is_truncated
    assert result.segments[-1].end_s > 2.0


def test_an_utterance_is_written_at_its_end(offline: VoxtralRecognizer) -> None:
    sound = speech_like(5, 3)
    stream = offline.open_stream(Options(language="de"), 50.0)
    for first in range(0, len(sound), 1600):
        stream.feed(sound[first : first + 1600])
        assert list(stream.step()) == []
    *steps, result = stream.finish()
    assert all(step is None for step in steps)
    assert isinstance(result, StreamResult)
    assert result.language == "de"
    assert result.segments
    assert result.segments[0].start_s >= 50.0
    assert result.segments[-1].end_s <= 55.001


def test_an_empty_utterance_says_nothing(offline: VoxtralRecognizer) -> None:
    assert list(offline.open_stream(Options(), 0.0).finish()) == [StreamResult((), None)]


def test_it_hands_the_turn_on_when_there_is_no_window(offline: VoxtralRecognizer) -> None:
    class Empty:
        is_finished = False

        def take(self) -> Window | None:
            return None

    facts = offline.transcribe(Empty(), Options())
    assert next(facts) is IDLE
    assert next(facts) is IDLE


def test_a_closed_recognizer_is_not_used(short_folder: Path) -> None:
    recognizer = load_offline(short_folder)
    recognizer.close()
    with pytest.raises(RuntimeError):
        recognizer.transcribe(ListSource([]), Options())
