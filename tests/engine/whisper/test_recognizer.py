"""The built-in model through the whole recognizer."""

from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest

from app.core.errors import ModelDamaged, ModelMissing
from app.core.packing import Window
from app.engine import registry
from app.engine.base import ListSource, Options, WindowResult
from tests.engine.whisper.speech import NANO, clips, drive, nano, word_errors, words

GREEDY = (0.0,)


def test_reads_the_clips() -> None:
    chosen = clips(every=4)
    source = ListSource([clip.window for clip in chosen])
    options = Options(temperatures=GREEDY, wants_words=False)
    steps = nano().transcribe(source, options)
    results = {result.index: result for result in steps if isinstance(result, WindowResult)}
    errors = total = 0
    for clip in chosen:
        result = results[clip.window.index]
        assert result.language == clip.language
        heard = " ".join(segment.text for segment in result.segments)
        errors += word_errors(clip.text, heard)
        total += len(words(clip.text))
        for segment in result.segments:
            assert 0.0 <= segment.start_s < segment.end_s <= clip.window.end_s
            assert segment.confidence is not None
            assert 0.5 < segment.confidence <= 1.0
    assert errors / total < 0.15


@pytest.mark.parametrize("level", [0.0, 10 ** (-45 / 20)])
def test_hears_nothing_in_silence(level: float) -> None:
    noise = np.random.default_rng(1).standard_normal(9 * 16_000).astype(np.float32) * level
    window = Window(0, 0.0, noise.astype(np.float32), ())
    steps = nano().transcribe(ListSource([window]), Options(language="en"))
    (result,) = [result for result in steps if isinstance(result, WindowResult)]
    assert result.segments == ()
    assert result.no_speech_probability > 0.9


def test_unloading_gives_the_memory_back() -> None:
    mx.clear_cache()
    before = mx.get_active_memory()
    recognizer = drive(registry.load(NANO))
    assert recognizer.model is NANO
    assert mx.get_active_memory() > before + 10_000_000
    (clip, *_) = clips(["de"])
    for _ in recognizer.transcribe(ListSource([clip.window]), Options()):
        pass
    recognizer.close()
    del recognizer
    assert mx.get_active_memory() <= before + 100_000
    assert mx.get_cache_memory() < 1_000_000


def test_words_beams_glossary_and_offset() -> None:
    (clip, *_) = clips(["de"])
    window = replace(clip.window, start_s=100.0)
    options = Options(
        languages=("de", "en"), beam_size=2, patience=1.5, glossary="Undertone, Kubernetes."
    )
    steps = nano().transcribe(ListSource([window]), options)
    (result,) = [result for result in steps if isinstance(result, WindowResult)]
    assert result.language == "de"
    heard = " ".join(segment.text for segment in result.segments)
    assert words(heard) == words(clip.text)
    reached = 100.0
    for segment in result.segments:
        assert " ".join(word.text for word in segment.words) == segment.text
        for word in segment.words:
            assert reached <= word.start_s <= word.end_s <= window.end_s
            assert 0.0 <= word.probability <= 1.0
            reached = word.end_s


def test_only_allowed_languages_are_detected() -> None:
    (clip, *_) = clips(["de"])
    options = Options(languages=("fr", "es"), temperatures=GREEDY, wants_words=False)
    steps = nano().transcribe(ListSource([clip.window]), options)
    assert {result.language for result in steps if isinstance(result, WindowResult)} <= {"fr", "es"}


def test_a_stream_says_what_a_window_says() -> None:
    (clip, *_) = clips(["de"])
    options = Options(language="de", temperatures=GREEDY)
    stream = nano().open_stream(options, 5.0)
    for start in range(0, len(clip.window.audio), 1600):
        stream.feed(clip.window.audio[start : start + 1600])
        assert list(stream.step())
    *_, last = stream.finish()
    assert last is not None
    heard = " ".join(segment.text for segment in last.segments)
    assert words(heard) == words(clip.text)
    assert all(segment.start_s >= 5.0 for segment in last.segments)


def test_a_folder_without_weights_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        drive(registry.load(replace(NANO, folder=tmp_path)))
    (tmp_path / "config.json").write_bytes((NANO.folder / "config.json").read_bytes())
    with pytest.raises(ModelMissing):
        drive(registry.load(replace(NANO, folder=tmp_path)))
    whole = (NANO.folder / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(whole[:-1000])
    with pytest.raises(ModelDamaged):
        drive(registry.load(replace(NANO, folder=tmp_path)))
