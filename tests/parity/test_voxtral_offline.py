"""Voxtral 2507 against Hugging Face on tiny random weights."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from app.engine.voxtral.decode import decode_steps
from app.engine.voxtral.features import window_mel
from app.engine.voxtral.offline import Voxtral
from app.engine.voxtral.prompt import transcription_prompt
from app.engine.voxtral.tekken import Tekken
from app.engine.voxtral.weights import load_steps
from tests.engine.voxtral.conftest import drain
from tests.engine.voxtral.golden import STRINGS, TOLERANCE
from tests.helpers.voxtral_checkpoints import Tiny, speech_like, write_checkpoint, write_tekken

pytestmark = pytest.mark.parity
oracle: Any = pytest.importorskip("tests.parity.voxtral_oracle", exc_type=ImportError)

FULL = Tiny()  # windows of 30 s, as in the published models
N_FRAMES = 2 * FULL.positions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("voxtral") / "full", FULL)


@pytest.fixture(scope="module")
def ours(folder: Path) -> Voxtral:
    network, _ = drain(load_steps(folder))
    assert isinstance(network, Voxtral)
    return network


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return oracle.offline_model(folder)


@pytest.mark.parametrize("seed", range(4))
def test_the_picture(seed: int) -> None:
    sound = speech_like((30, 5, 0.3, 29.99)[seed], seed)
    mel = window_mel(sound, 128, N_FRAMES)
    assert np.abs(mel - oracle.window_mel(sound, N_FRAMES).T).max() < TOLERANCE


@pytest.mark.parametrize("chunks", [1, 3])
def test_logits(ours: Voxtral, theirs: Any, chunks: int) -> None:
    mels = [window_mel(speech_like(30, seed), 128, N_FRAMES) for seed in range(chunks)]
    prompt = [1, 3, 25, *[24] * (375 * chunks), 4, 60, 61, 34]
    reference = oracle.offline_logits(theirs, [mel.T for mel in mels], prompt)
    heard = mx.concatenate([drain(ours.hear(mel)) for mel in mels])
    language_model = ours.language_model
    hidden = language_model.run(ours.embed(prompt, 24, [heard]), language_model.caches())
    logits = np.array(language_model.logits(hidden))[0]
    difference = np.abs(logits - reference).max()
    print(f"max |Δ| {difference:.2g} at σ {reference.std():.2g}, {chunks} chunks")
    assert difference < TOLERANCE


def test_greedy_tokens_alone_and_in_a_batch(ours: Voxtral, theirs: Any, folder: Path) -> None:
    prompt = transcription_prompt(Tekken(folder), 375, "en")
    sounds = [speech_like(5 + seed, seed) for seed in range(8)]
    mels = [window_mel(sound, 128, N_FRAMES) for sound in sounds]
    expected = [oracle.offline_tokens(theirs, mel.T, prompt, 24) for mel in mels]
    heard = [drain(ours.hear(mel)) for mel in mels]
    for size in (1, 3, 8):
        rows = []
        for first in range(0, len(heard), size):
            part = heard[first : first + size]
            x = ours.embed(prompt, 24, part)
            rows += drain(decode_steps(ours, x, [24] * len(part), oracle.ENDS))
        equal = [
            row.tokens == [token for token in row_ if token not in oracle.ENDS]
            for row, row_ in zip(rows, expected, strict=True)
        ]
        print(f"batch {size}: {sum(equal)} of {len(equal)} windows equal")
        assert all(equal)


@pytest.mark.parametrize("language", [None, "en", "fr", "hi", "pt"])
def test_prompts(tmp_path: Path, language: str | None) -> None:
    write_tekken(tmp_path, is_realtime=False)
    expected = oracle.transcription_prompt(tmp_path, 5, language)
    assert transcription_prompt(Tekken(tmp_path), 375, language) == expected


def test_the_real_vocabulary(tmp_path: Path) -> None:
    """mistral-common brings a vocabulary of 131 072; only its marks are missing in the file."""
    import mistral_common
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    source = Path(mistral_common.__file__).parent / "data" / "tekken_240911.json"
    theirs = Tekkenizer.from_file(source)
    content = json.loads(source.read_text(encoding="utf-8"))
    content["special_tokens"] = [dict(token) for token in theirs._all_special_tokens]
    (tmp_path / "tekken.json").write_text(json.dumps(content), encoding="utf-8")
    ours = Tekken(tmp_path)
    assert ours.size == theirs.n_words
    rng = np.random.default_rng(0)
    letters = [chr(n) for n in (*range(32, 0x500), *range(0x3040, 0x30FF), *range(0x4E00, 0x4F00))]
    texts = [*STRINGS, *("".join(rng.choice(letters, 40)) for _ in range(200))]
    for text in texts:
        tokens = theirs.encode(text, bos=False, eos=False)
        assert ours.encode(text) == tokens
        assert ours.decode(tokens) == theirs.decode(tokens) == text
    for _ in range(200):
        tokens = rng.integers(0, ours.size, 20).tolist()
        assert ours.decode(tokens) == theirs.decode(tokens)
        assert [ours.piece(token) for token in tokens] == [
            theirs.id_to_byte_piece(token) for token in tokens
        ]
