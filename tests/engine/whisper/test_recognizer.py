"""The built-in model through the whole recognizer."""

import numpy as np
import pytest

from app.core.errors import ModelDamaged, ModelMissing
from app.core.packing import Window
from app.engine import registry
from app.engine.base import ListSource, Options
from tests.engine.whisper.speech import NANO, clips, drive, nano, word_errors, words

GREEDY = (0.0,)


def test_reads_the_clips() -> None:
    chosen = clips(every=4)
    source = ListSource([clip.window for clip in chosen])
    options = Options(temperatures=GREEDY, wants_words=False)
    steps = nano().transcribe(source, options)
    results = {result.index: result for result in steps if result is not None}
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
    (result,) = [result for result in steps if result is not None]
    assert result.segments == ()
    assert result.no_speech_probability > 0.9


def test_the_registry_loads_it() -> None:
    recognizer = drive(registry.load(NANO))
    assert recognizer.model is NANO
    recognizer.close()


def test_a_folder_without_weights_is_missing(tmp_path) -> None:
    from dataclasses import replace

    with pytest.raises(ModelMissing):
        drive(registry.load(replace(NANO, folder=tmp_path)))
    (tmp_path / "config.json").write_bytes((NANO.folder / "config.json").read_bytes())
    with pytest.raises(ModelMissing):
        drive(registry.load(replace(NANO, folder=tmp_path)))
    whole = (NANO.folder / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(whole[:-1000])
    with pytest.raises(ModelDamaged):
        drive(registry.load(replace(NANO, folder=tmp_path)))
