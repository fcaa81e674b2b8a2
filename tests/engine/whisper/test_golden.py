"""Our decoding against what openai-whisper said of the same tiny models (`tests/parity`)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.engine.whisper.align import find_timings
from app.engine.whisper.decode import Decoded, detect_language
from app.engine.whisper.transcription import Loaded
from tests.engine.whisper import random_model as tiny
from tests.engine.whisper.decoding import decode, decode_with_beams

DATA = Path(__file__).resolve().parents[2] / "data" / "parity" / "whisper.json"
CASES: list[dict[str, Any]] = json.loads(DATA.read_text())


@cache
def loaded(number: int, folder: Path) -> Loaded:
    shape = tiny.SHAPES[CASES[number]["shape"]]
    arrays = tiny.random_arrays(CASES[number]["seed"], shape)
    return tiny.load(tiny.write_model(folder, shape, arrays))


@pytest.fixture(params=range(len(CASES)), scope="module")
def number(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def model(number: int, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return loaded(number, tmp_path_factory.mktemp("model"))


@pytest.fixture
def mels(number: int) -> tiny.Array:
    return tiny.random_mels(CASES[number]["seed"], 2, tiny.SHAPES[CASES[number]["shape"]])


def assert_equal(ours: list[Decoded], theirs: list[dict[str, Any]]) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert list(mine.tokens) == other["tokens"]
        expected = other["average_log_probability"]
        assert mine.average_log_probability == pytest.approx(expected, abs=1e-4)
        silence = other["no_speech_probability"]
        assert mine.no_speech_probability == pytest.approx(silence, abs=1e-5)


@pytest.mark.parametrize("timestamps", [True, False])
@pytest.mark.parametrize("batch", [1, 2])
def test_greedy(number: int, model: Loaded, mels: tiny.Array, timestamps: bool, batch: int) -> None:
    case = CASES[number]
    assert_equal(
        decode(model, mels, (), batch=batch, timestamps=timestamps), case[f"greedy-{timestamps}"]
    )
    prompt = tuple(case["prompt"])
    assert_equal(
        decode(model, mels, prompt, batch=batch, timestamps=timestamps),
        case[f"prompted-{timestamps}"],
    )


@pytest.mark.parametrize("timestamps", [True, False])
def test_beams(number: int, model: Loaded, mels: tiny.Array, timestamps: bool) -> None:
    ours = [
        decode_with_beams(model, mel, size=3, patience=2.0, timestamps=timestamps) for mel in mels
    ]
    assert_equal(ours, CASES[number][f"beams-{timestamps}"])


def test_languages(number: int, model: Loaded, mels: tiny.Array) -> None:
    for mel, expected in zip(mels, CASES[number].get("languages", ()), strict=False):
        cross = model.model.decoder.cross(tiny.encode(model, mel))
        ids = list(model.tokens.languages.values())
        ours = detect_language(model.model, model.tokens.sot, cross, ids)
        found = dict(zip(model.tokens.languages, ours, strict=True))
        assert {code: found[code] for code in expected} == pytest.approx(expected, abs=1e-5)


def test_words(number: int, model: Loaded, mels: tiny.Array) -> None:
    case = CASES[number]
    timings = find_timings(
        model.model,
        model.tokens,
        model.model.decoder.cross(tiny.encode(model, mels[0])),
        model.tokens.encode(case["text"]),
        language="en",
        translate=False,
        heads=model.heads,
        duration_s=1.51,
    )
    for mine, (word, start, end, probability) in zip(timings, case["words"], strict=True):
        assert (mine.text, mine.start_s, mine.end_s) == (word, start, end)
        assert mine.probability == pytest.approx(probability, abs=1e-5)
