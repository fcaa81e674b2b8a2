import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.library.fold import folded, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("Café", "cafe"),
        ("İstanbul", "istanbul"),
        ("ISPARTA", "ısparta"),
        ("Łódź", "lodz"),
        ("Ångström", "angstrom"),
        ("ﬁnal", "final"),
        ("ＡＢＣ１２", "abc12"),
        ("Σίσυφος", "ΣΙΣΥΦΟΣ"),
        ("مُحَمَّد", "محمد"),
        ("أحمد", "احمد"),
        ("ی", "ي"),
        ("שָׁלוֹם", "שלום"),
        ("ｶﾞ", "ガ"),
        ("co\u00adoperate", "cooperate"),
        ("œuvre", "oeuvre"),
        ("smørrebrød", "smorrebrod"),
    ],
)
def test_what_people_mean_alike_folds_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other) != ""


def test_vowel_signs_of_indic_scripts_stay() -> None:
    assert folded("कि") != folded("कु")
    assert folded("हिन्दी") == "हिन्दी"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("東京に行く", "東 京 に 行 く"),
        ("학교에서", "학 교 에 서"),
        ("กา", "ก า"),
        ("iPhoneを買う", "iphone を 買 う"),
        ("don't stop—now", "don t stop now"),
        ("12.5 %", "12 5"),
        ("great 🎉🎉", "great 🎉 🎉"),
    ],
)
def test_tokens(text: str, wanted: str) -> None:
    assert folded(text) == wanted


@given(st.text(max_size=80))
@example("가각힣 が ｶﾞ ế Ǖ")
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    assert folded(unicodedata.normalize("NFC", text)) == folded(unicodedata.normalize("NFD", text))


@given(st.text(max_size=80))
def test_tokens_know_where_they_stand(text: str) -> None:
    place = 0
    for token in tokens(text):
        assert token.text
        assert not any(character in token.text for character in '" \n\x00*():-')
        assert place <= token.start or token.is_split  # one cluster may give several
        assert token.start < token.end <= len(text)
        place = token.start


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
