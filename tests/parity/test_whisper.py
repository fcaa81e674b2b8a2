"""Our decoding against openai-whisper: equal token for token on random weights."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
import torch
import whisper

from app.engine.whisper.align import cheapest_path, find_timings, median_filter
from app.engine.whisper.beam import BeamSearch
from app.engine.whisper.decode import Decoded, Rows, detect_language
from app.engine.whisper.heads import alignment_heads
from app.engine.whisper.rules import Rules
from app.engine.whisper.transcription import Loaded
from tests.parity import whisper_oracle as oracle

# The reference uses what NumPy deprecates, and leaves a file open.
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEEDS = range(8)
PROMPTS = ((), (1044, 2368, 11, 7215), tuple(range(400, 420)))


def prompt_tokens(
    loaded: Loaded, prompt: tuple[int, ...], timestamps: bool, translate: bool = False
) -> tuple[int, ...]:
    tokens = loaded.tokens
    start = tokens.start("en", translate=translate, timestamps=timestamps)
    return (tokens.sot_prev, *prompt, *start) if prompt else start


def decode_ours(
    loaded: Loaded,
    mels: np.ndarray,
    prompt: tuple[int, ...],
    *,
    batch: int,
    timestamps: bool,
    steps: int = 5,
) -> list[Decoded]:
    """Decode all pictures through `batch` rows, replacing rows as they finish."""
    rules = Rules(loaded.tokens, loaded.model.dimensions, timestamps=timestamps)
    rows = Rows(loaded.model, rules, loaded.tokens.sot, batch, len(prompt))
    waiting = list(range(len(mels)))
    at_row: dict[int, int] = {}
    results: dict[int, Decoded] = {}
    while len(results) < len(mels):
        while waiting and (at := rows.free()) is not None:
            at_row[at] = waiting.pop(0)
            features = oracle.encode(loaded, mels[at_row[at]])
            rows.hear(at, loaded.model.decoder.cross(features))
            rows.start(at, prompt)
        for at, decoded in rows.advance(steps):
            results[at_row[at]] = decoded
            rows.release(at)
    return [results[index] for index in range(len(mels))]


def assert_equal(ours: Decoded, theirs: Any) -> None:
    assert list(ours.tokens) == theirs.tokens
    assert ours.average_log_probability == pytest.approx(theirs.avg_logprob, abs=1e-4)
    assert ours.no_speech_probability == pytest.approx(theirs.no_speech_prob, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("timestamps", [True, False])
@pytest.mark.parametrize("dimensions", [oracle.SMALL, oracle.ENGLISH, oracle.TURBO])
def test_greedy(tmp_path: Path, seed: int, timestamps: bool, dimensions: Any) -> None:
    reference = oracle.random_oracle(seed, dimensions)
    loaded = oracle.load_ours(oracle.write_ours(reference, tmp_path / "model"))
    mels = oracle.random_mels(seed, 5, dimensions)
    for prompt in PROMPTS:
        options = whisper.DecodingOptions(
            language="en", prompt=list(prompt), without_timestamps=not timestamps, fp16=False
        )
        theirs = whisper.decode(reference, oracle.for_oracle(mels), options)
        full = prompt_tokens(loaded, prompt, timestamps)
        for batch in (1, 3):
            ours = decode_ours(loaded, mels, full, batch=batch, timestamps=timestamps)
            for mine, other in zip(ours, theirs, strict=True):
                assert_equal(mine, other)


def test_greedy_at_full_length(tmp_path: Path) -> None:
    reference = oracle.random_oracle(1, oracle.FULL)
    loaded = oracle.load_ours(oracle.write_ours(reference, tmp_path / "model"))
    mels = oracle.random_mels(1, 3, oracle.FULL)
    long_prompt = tuple(range(500, 723))
    for prompt in ((), long_prompt):
        options = whisper.DecodingOptions(language="en", prompt=list(prompt), fp16=False)
        theirs = whisper.decode(reference, oracle.for_oracle(mels), options)
        full = prompt_tokens(loaded, prompt, timestamps=True)
        ours = decode_ours(loaded, mels, full, batch=2, timestamps=True)
        for mine, other in zip(ours, theirs, strict=True):
            assert_equal(mine, other)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("patience", [1.0, 2.0, 0.5])
def test_beam_search(tmp_path: Path, seed: int, size: int, patience: float) -> None:
    if round(size * patience) == 0:
        patience = 1.0
    reference = oracle.random_oracle(seed)
    loaded = oracle.load_ours(oracle.write_ours(reference, tmp_path / "model"))
    mels = oracle.random_mels(seed, 1)
    for timestamps in (True, False):
        rules = Rules(loaded.tokens, loaded.model.dimensions, timestamps=timestamps)
        options = whisper.DecodingOptions(
            language="en",
            beam_size=size,
            patience=patience,
            without_timestamps=not timestamps,
            fp16=False,
        )
        (theirs,) = whisper.decode(reference, oracle.for_oracle(mels), options)
        cross = loaded.model.decoder.cross(oracle.encode(loaded, mels[0]))
        prompt = prompt_tokens(loaded, (), timestamps)
        steps = BeamSearch(loaded.model, rules, cross, prompt, size, patience).steps(
            loaded.tokens.sot
        )
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                assert_equal(stop.value, theirs)
                break


@pytest.mark.parametrize("seed", SEEDS)
def test_language_and_translation(tmp_path: Path, seed: int) -> None:
    reference = oracle.random_oracle(seed)
    loaded = oracle.load_ours(oracle.write_ours(reference, tmp_path / "model"))
    mels = oracle.random_mels(seed, 2)
    _, theirs = whisper.detect_language(reference, oracle.for_oracle(mels))
    codes = list(loaded.tokens.languages)
    ids = [loaded.tokens.languages[code] for code in codes]
    for mel, other in zip(mels, theirs, strict=True):
        cross = loaded.model.decoder.cross(oracle.encode(loaded, mel))
        ours = detect_language(loaded.model, loaded.tokens.sot, cross, ids)
        assert dict(zip(codes, ours, strict=True)) == pytest.approx(other, abs=1e-5)
    options = whisper.DecodingOptions(language="en", task="translate", fp16=False)
    translated = whisper.decode(reference, oracle.for_oracle(mels), options)
    full = prompt_tokens(loaded, (), timestamps=True, translate=True)
    ours = decode_ours(loaded, mels, full, batch=2, timestamps=True)
    for mine, their in zip(ours, translated, strict=True):
        assert_equal(mine, their)


@pytest.mark.parametrize("dimensions", [oracle.SMALL, oracle.TURBO, oracle.FULL])
def test_pictures_and_features(tmp_path: Path, dimensions: Any) -> None:
    samples = 2 * dimensions.n_audio_ctx * 160
    sound = np.random.default_rng(5).standard_normal(samples).astype(np.float32) * 0.1
    for length in (samples, samples // 2, samples // 3 + 17):
        part = sound[:length]
        ours = oracle.log_mel(part, dimensions.n_mels, 2 * dimensions.n_audio_ctx)
        padded = whisper.pad_or_trim(torch.tensor(part), samples)
        theirs = whisper.log_mel_spectrogram(padded, dimensions.n_mels).numpy().T
        assert np.abs(ours - theirs).max() < 1e-4
    reference = oracle.random_oracle(3, dimensions)
    loaded = oracle.load_ours(oracle.write_ours(reference, tmp_path / "model"))
    mels = oracle.random_mels(3, 1, dimensions)
    with torch.no_grad():
        expected = reference.encoder(oracle.for_oracle(mels)).numpy()
    assert np.abs(np.array(oracle.encode(loaded, mels[0])) - expected).max() < 1e-4
    mx.clear_cache()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dimensions", [oracle.SMALL, oracle.ENGLISH, oracle.TURBO])
def test_word_times(tmp_path: Path, seed: int, dimensions: Any) -> None:
    reference = oracle.random_oracle(seed, dimensions)
    loaded = oracle.load_ours(oracle.write_ours(reference, tmp_path / "model"))
    mels = oracle.random_mels(seed, 1, dimensions)
    tokenizer = whisper.tokenizer.get_tokenizer(
        reference.is_multilingual, num_languages=reference.num_languages, language="en"
    )
    text = tokenizer.encode(' And so, my fellow (quiet) Americans: ask "not" what – Öl, naïve.')
    cross = loaded.model.decoder.cross(oracle.encode(loaded, mels[0]))
    heads = alignment_heads(loaded.model.dimensions)
    for frames in (200, 151, 60):
        theirs = whisper.timing.find_alignment(
            reference, tokenizer, text, oracle.for_oracle(mels)[0], frames
        )
        ours = find_timings(
            loaded.model,
            loaded.tokens,
            cross,
            text,
            language="en",
            translate=False,
            heads=heads,
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
