import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelDamaged, ModelMissing
from app.engine.voxtral.prompt import marks_of, pacing_of, transcription_prompt
from app.engine.voxtral.tekken import Tekken
from tests.engine.voxtral.golden import FOLDER
from tests.helpers.voxtral_checkpoints import write_tekken


@pytest.fixture(scope="module")
def tekken(tmp_path_factory: pytest.TempPathFactory) -> Tekken:
    folder = tmp_path_factory.mktemp("tekken")
    write_tekken(folder, is_realtime=False)
    return Tekken(folder)


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, list[int]]]:
    content: dict[str, dict[str, list[int]]] = json.loads((FOLDER / "tekken.json").read_text())
    return content


def test_tokens_are_mistrals(tekken: Tekken, golden: dict[str, dict[str, list[int]]]) -> None:
    for text, tokens in golden["tokens"].items():
        assert tekken.encode(text) == tokens
        assert tekken.decode(tokens) == text


def test_prompts_are_mistrals(tekken: Tekken, golden: dict[str, dict[str, list[int]]]) -> None:
    for language, prompt in golden["prompts"].items():
        assert transcription_prompt(tekken, 375, language or None) == prompt


@given(st.text())
def test_text_survives(tekken: Tekken, text: str) -> None:
    tokens = tekken.encode(text)
    assert tekken.decode(tokens) == text
    assert b"".join(tekken.piece(token) for token in tokens) == text.encode("utf-8")


def test_marks_are_no_text(tekken: Tekken) -> None:
    tokens = [1, *tekken.encode("ab"), 32, *tekken.encode("cd"), 2]
    assert tekken.decode(tokens) == "abcd"
    assert tekken.piece(32) == b""
    assert not tekken.is_text(39)
    assert not tekken.is_text(512)


def test_marks_come_from_the_file(tekken: Tekken) -> None:
    marks = marks_of(tekken)
    assert (marks.begin, marks.end, marks.audio, marks.transcribe) == (1, 2, 24, 34)
    assert marks.ends == (2, 4, 11)
    assert tekken.mark("[NOWHERE]", 77) == 77


def test_pacing_comes_from_the_file(tmp_path: Path) -> None:
    write_tekken(tmp_path, is_realtime=True)
    tekken = Tekken(tmp_path)
    assert (pacing_of(tekken, None).delay, pacing_of(tekken, None).left_silence) == (6, 32)
    assert pacing_of(tekken, 2400).delay == 30
    assert pacing_of(tekken, 90_000).delay == 30
    assert pacing_of(tekken, 1).delay == 1
    assert len(pacing_of(tekken, 240).prompt(marks_of(tekken))) == 36


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        Tekken(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("config"),
        lambda content: content.pop("special_tokens"),
        lambda content: content["vocab"].pop(),
        lambda content: content["vocab"].__setitem__(300, content["vocab"][299]),
        lambda content: content["vocab"][3].update(token_bytes="???"),
        lambda content: content["vocab"].reverse(),
        lambda content: content["config"].update(default_vocab_size="many"),
        lambda content: content.update(vocab=None),
    ],
)
def test_a_damaged_file(tmp_path: Path, change: object) -> None:
    write_tekken(tmp_path, is_realtime=False)
    path = tmp_path / "tekken.json"
    content = json.loads(path.read_text())
    assert callable(change)
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ModelDamaged):
        Tekken(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "<html>", '{"config": {'])
def test_no_tokenizer_at_all(tmp_path: Path, content: str) -> None:
    (tmp_path / "tekken.json").write_text(content)
    with pytest.raises(ModelDamaged):
        Tekken(tmp_path)
