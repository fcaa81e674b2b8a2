"""The text that is inserted, made of what was recognised."""

from datetime import datetime

import pytest

from app.config.settings import Settings
from app.core.transcript import Segment
from app.pipeline.digits import with_digits
from app.pipeline.spoken_text import glossary_of, joined, title_of, written

NOW = datetime(2026, 11, 21, 9, 5)


def said(*texts: str) -> list[Segment]:
    return [Segment(float(n), n + 1.0, text) for n, text in enumerate(texts)]


def test_pieces_are_joined_as_their_script_is_written() -> None:
    assert joined(["One two.", " Three. ", ""]) == "One two. Three."
    assert joined(["今日は", "いい天気。", "そうです"]) == "今日はいい天気。そうです"
    assert joined(["안녕하세요.", "저는"]) == "안녕하세요. 저는"


def test_a_person_gets_the_text_as_they_want_it() -> None:
    settings = Settings(
        vocabulary=("Kubernetes",),
        replacements=("my mail\tada@example.org", "no tab"),
        snippets=("greetings\tKind regards",),
        numbers_as_digits=True,
    )
    text = written(
        said("Um, twenty-three kubernetis at my mail.", "New line. Greetings."), "en", settings, NOW
    )
    assert "23 Kubernetes at ada@example.org" in text
    assert text.endswith("\nKind regards")
    assert "um" not in text.lower().split()


def test_everything_can_be_left_as_it_was_said() -> None:
    settings = Settings(removes_fillers=False, spoken_commands=False)
    raw = "Um, twenty-three. New line."
    assert written(said(raw), "en", settings, NOW) == raw


@pytest.mark.parametrize(
    ("language", "spoken", "expected"),
    [
        ("en", "I have twenty-three apples and one idea.", "I have 23 apples and one idea."),
        ("de", "Ich habe dreiundzwanzig Äpfel.", "Ich habe 23 Äpfel."),
        ("fr", "J'ai vingt-trois pommes.", "J'ai 23 pommes."),
        ("es", "Tengo veintitrés manzanas.", "Tengo 23 manzanas."),
        ("ja", "二十三", "二十三"),
        (None, "twenty-three", "twenty-three"),
    ],
)
def test_numbers_become_digits_where_the_language_is_known(
    language: str | None, spoken: str, expected: str
) -> None:
    assert with_digits(spoken, language) == expected


def test_the_vocabulary_is_told_to_the_model_as_a_sentence() -> None:
    assert glossary_of(Settings(vocabulary=("Ada", " ", "MLX"))) == "Ada, MLX."
    assert glossary_of(Settings()) == ""


def test_a_title_is_the_beginning_of_the_text() -> None:
    assert title_of("Short\nand good") == "Short and good"
    long = title_of("word, " * 40)
    assert long.endswith("word…")
    assert len(long) <= 61
    assert title_of(" ") == ""
