"""Our decoding against openai-whisper: equal token for token on random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import whisper

from app.engine.whisper.align import cheapest_path, find_timings, median_filter
from app.engine.whisper.config import Dimensions
from app.engine.whisper.decode import Decoded, detect_language
from app.engine.whisper.mel import log_mel
from tests.engine.whisper import random_model as tiny
from tests.engine.whisper.decoding import decode, decode_with_beams
from tests.parity.whisper_oracle import for_oracle, random_oracle

# The reference uses what NumPy deprecates, and leaves a file open.
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEEDS = range(6)
PROMPTS = ((), (1044, 2368, 11, 7215), tuple(range(400, 420)))


@pytest.fixture(params=["small", "english", "turbo"])
def shape(request: pytest.FixtureRequest) -> Dimensions:
    return tiny.SHAPES[str(request.param)]


def both(seed: int, shape: Dimensions, folder: Path) -> tuple[Any, Any]:
    arrays = tiny.random_arrays(seed, shape)
    ours = tiny.load(tiny.write_model(folder / "model", shape, arrays))
    return ours, random_oracle(seed, shape)


def assert_equal(ours: Decoded, theirs: Any) -> None:
    assert list(ours.tokens) == theirs.tokens
    assert ours.average_log_probability == pytest.approx(theirs.avg_logprob, abs=1e-4)
    assert ours.no_speech_probability == pytest.approx(theirs.no_speech_prob, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("timestamps", [True, False])
def test_greedy(tmp_path: Path, seed: int, timestamps: bool, shape: Dimensions) -> None:
    loaded, reference = both(seed, shape, tmp_path)
    mels = tiny.random_mels(seed, 5, shape)
    for prompt in PROMPTS:
        options = whisper.DecodingOptions(
            language="en", prompt=list(prompt), without_timestamps=not timestamps, fp16=False
        )
        theirs = whisper.decode(reference, for_oracle(mels), options)
        for batch in (1, 3):
            ours = decode(loaded, mels, prompt, batch=batch, timestamps=timestamps)
            for mine, other in zip(ours, theirs, strict=True):
                assert_equal(mine, other)


def test_greedy_at_full_length(tmp_path: Path) -> None:
    loaded, reference = both(1, tiny.FULL, tmp_path)
    mels = tiny.random_mels(1, 3, tiny.FULL)
    for prompt in ((), tuple(range(500, 723))):
        options = whisper.DecodingOptions(language="en", prompt=list(prompt), fp16=False)
        theirs = whisper.decode(reference, for_oracle(mels), options)
        ours = decode(loaded, mels, prompt, batch=2, timestamps=True)
        for mine, other in zip(ours, theirs, strict=True):
            assert_equal(mine, other)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("timestamps", [True, False])
def test_beam_search(tmp_path: Path, seed: int, timestamps: bool) -> None:
    loaded, reference = both(seed, tiny.SMALL, tmp_path)
    mels = tiny.random_mels(seed, 1, tiny.SMALL)
    for size, patience in ((1, 1.0), (2, 1.0), (2, 0.5), (5, 1.0), (5, 2.0)):
        options = whisper.DecodingOptions(
            language="en",
            beam_size=size,
            patience=patience,
            without_timestamps=not timestamps,
            fp16=False,
        )
        (theirs,) = whisper.decode(reference, for_oracle(mels), options)
        ours = decode_with_beams(
            loaded, mels[0], size=size, patience=patience, timestamps=timestamps
        )
        assert_equal(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_language_and_translation(tmp_path: Path, seed: int) -> None:
    loaded, reference = both(seed, tiny.SMALL, tmp_path)
    mels = tiny.random_mels(seed, 2, tiny.SMALL)
    _, theirs = whisper.detect_language(reference, for_oracle(mels))
    codes = list(loaded.tokens.languages)
    ids = [loaded.tokens.languages[code] for code in codes]
    for mel, other in zip(mels, theirs, strict=True):
        cross = loaded.model.decoder.cross(tiny.encode(loaded, mel))
        ours = detect_language(loaded.model, loaded.tokens.sot, cross, ids)
        assert dict(zip(codes, ours, strict=True)) == pytest.approx(other, abs=1e-5)
    options = whisper.DecodingOptions(language="en", task="translate", fp16=False)
    translated = whisper.decode(reference, for_oracle(mels), options)
    mine = decode(loaded, mels, (), batch=2, timestamps=True, translate=True)
    for one, other in zip(mine, translated, strict=True):
        assert_equal(one, other)


@pytest.mark.parametrize("shape", ["small", "turbo", "full"], indirect=True)
def test_pictures_and_features(tmp_path: Path, shape: Dimensions) -> None:
    samples = 2 * shape.n_audio_ctx * 160
    sound = np.random.default_rng(5).standard_normal(samples).astype(np.float32) * 0.1
    for length in (samples, samples // 2, samples // 3 + 17):
        part = sound[:length]
        ours = log_mel(part, shape.n_mels, 2 * shape.n_audio_ctx)
        whole = whisper.log_mel_spectrogram(torch.tensor(part), shape.n_mels, padding=samples)
        content = whole[:, : length // 160]
        theirs = whisper.pad_or_trim(content, 2 * shape.n_audio_ctx).numpy().T
        assert np.abs(ours - theirs).max() < 1e-4
    loaded, reference = both(3, shape, tmp_path)
    mels = tiny.random_mels(3, 1, shape)
    with torch.no_grad():
        expected = reference.encoder(for_oracle(mels)).numpy()
    assert np.abs(np.array(tiny.encode(loaded, mels[0])) - expected).max() < 1e-4


@pytest.mark.parametrize("seed", SEEDS)
def test_word_times(tmp_path: Path, seed: int, shape: Dimensions) -> None:
    loaded, reference = both(seed, shape, tmp_path)
    mels = tiny.random_mels(seed, 1, shape)
    tokenizer = whisper.tokenizer.get_tokenizer(
        reference.is_multilingual, num_languages=reference.num_languages, language="en"
    )
    text = tokenizer.encode(' And so, my fellow (quiet) Americans: ask "not" what – Öl, naïve.')
    cross = loaded.model.decoder.cross(tiny.encode(loaded, mels[0]))
    for frames in (200, 151, 60):
        theirs = whisper.timing.find_alignment(
            reference, tokenizer, text, for_oracle(mels)[0], frames
        )
        ours = find_timings(
            loaded.model,
            loaded.tokens,
            cross,
            text,
            language="en",
            translate=False,
            heads=loaded.heads,
            duration_s=frames / 100,
        )
        assert [timing.text for timing in ours] == [timing.word for timing in theirs]
        for mine, other in zip(ours, theirs, strict=True):
            assert list(mine.tokens) == other.tokens
            assert (mine.start_s, mine.end_s) == (other.start, other.end)
            assert mine.probability == pytest.approx(other.probability, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_path_and_filter(seed: int) -> None:
    generator = np.random.default_rng(seed)
    shape = tuple(int(size) for size in generator.integers(1, 60, 2))
    costs = generator.standard_normal(shape)
    if seed % 2:
        costs = np.round(costs)  # many ties
    expected = whisper.timing.dtw_cpu(costs)
    assert np.array_equal(np.stack(cheapest_path(costs)), expected)
    values = generator.standard_normal((2, *shape)).astype(np.float32)
    theirs = whisper.timing.median_filter(torch.tensor(values)[None], 7)[0].numpy()
    assert np.array_equal(median_filter(values, 7), theirs)
