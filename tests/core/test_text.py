from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.spoken import COMMANDS, apply_commands
from app.core.text import (
    FILLERS,
    TextRules,
    apply_replacements,
    apply_snippets,
    apply_vocabulary,
    clean,
    remove_fillers,
)

NOW = datetime(2026, 11, 21, 9, 5)


@pytest.mark.parametrize(
    ("language", "spoken", "written"),
    [
        ("en", "hello comma how are you question mark", "hello comma how are you?"),
        ("en", "Hello, comma, how are you? Question mark.", "Hello, how are you?"),
        ("en", "One line. New line. another full stop thanks", "One line.\nAnother. Thanks"),
        ("en", "a long period of time", "a long period of time"),
        ("en", "It ended, period. then more", "It ended. Then more"),
        ("en", "He said open quote yes close quote and left", "He said “yes” and left"),
        ("en", "open bracket see below close bracket", "(see below)"),
        ("en", "new line", "\n"),
        ("en", "stop, new paragraph, go", "stop\n\nGo"),
        ("de", "Hallo Komma, wie Fragezeichen neuer Absatz danke", "Hallo, wie?\n\nDanke"),
        ("de", "Der Punkt ist wichtig", "Der Punkt ist wichtig"),
        ("fr", "Bonjour point d’interrogation à la ligne merci", "Bonjour ?\nMerci"),
        ("es", "hola punto y aparte gracias", "hola.\n\nGracias"),
        ("it", "ciao new line", "ciao new line"),
    ],
)  # fmt: skip
def test_spoken_commands(language: str, spoken: str, written: str) -> None:
    assert apply_commands(spoken, language) == written


@pytest.mark.parametrize("language", sorted(COMMANDS))
def test_every_command_is_carried_out_at_the_end(language: str) -> None:
    for phrase, command in COMMANDS[language].items():
        written = apply_commands(f"a {phrase}", language)
        assert written.startswith("a"), phrase
        assert written.removeprefix("a").strip(" ") == command.text.strip(" "), phrase


@given(st.text(), st.sampled_from(sorted(COMMANDS)))
def test_text_without_a_command_is_left_as_it_is(text: str, language: str) -> None:
    if apply_commands(text, language) != text.strip(" "):
        words = " ".join(text.casefold().split())
        assert any(phrase.split()[0] in words for phrase in COMMANDS[language])


@pytest.mark.parametrize(
    ("language", "text", "kept"),
    [
        ("en", "Um, so I, uh, think so.", "So I, think so."),
        ("en", "Uh.", ""),
        ("en", "the umbrella hums", "the umbrella hums"),
        ("de", "Er ist, ähm, hier.", "Er ist, hier."),
        ("fr", "Euh oui.", "Oui."),
        ("es", "eh, bueno", "bueno"),
        (None, "um so", "um so"),
        ("ja", "um so", "um so"),
    ],
)
def test_fillers_go_only_in_their_own_language(language: str, text: str, kept: str) -> None:
    assert remove_fillers(text, language) == kept


def test_no_filler_is_a_word_of_its_language() -> None:
    assert "er" not in FILLERS["de"]
    assert "este" not in FILLERS["es"]


def test_replacements_take_whole_words_and_the_longest_first() -> None:
    pairs = [("mac", "Mac"), ("mac book", "MacBook"), ("c++", "C plus plus"), (" ", "never")]

    assert (
        apply_replacements("my mac book and a Mac, macro", pairs) == "my MacBook and a Mac, macro"
    )
    assert apply_replacements("I like c++ a lot", pairs) == "I like C plus plus a lot"
    assert apply_replacements("same", []) == "same"


@pytest.mark.parametrize(
    ("heard", "text", "written"),
    [
        ("istanbul", "İstanbul, ıstanbul", "X, X"),
        ("ali", "Alı geldi", "X geldi"),
        ("İmza", "imza ve imzalı", "X ve imzalı"),
        ("straße", "Die Straße ist lang", "Die X ist lang"),
        ("don’t", "I don't, I DON’T", "I X, I X"),
    ],
)
def test_case_is_ignored_as_each_alphabet_has_it(heard: str, text: str, written: str) -> None:
    assert apply_replacements(text, [("other", "O"), (heard, "X")]) == written
    assert apply_snippets(text.replace(",", ""), [(heard, "X")], NOW) == written.replace(",", "")


def test_of_two_replacements_of_the_same_phrase_the_later_counts() -> None:
    assert apply_replacements("my mail", [("My mail", "old"), ("my  mail", "new")]) == "new"


def test_a_command_with_a_foreign_i_is_a_command() -> None:
    assert apply_commands("one. New lİne two", "en") == "one.\nTwo"


def test_snippets_are_filled_in_and_swallow_the_mark_behind_them() -> None:
    pairs = [("my address", "1 Main Street\nTown"), ("stamp", "{{time}}")]

    assert apply_snippets("Send it to my address.", pairs, NOW) == "Send it to 1 Main Street\nTown"
    assert apply_snippets("Stamp", pairs, NOW) == "09:05"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("we asked qutebrowser about it", "we asked qutebrowser about it"),
        ("ask cute browser today", "ask cute browser today"),
        ("the kubernetties cluster", "the Kubernetes cluster"),
        ("Voxtrall is here", "Voxtral is here"),
        ("open a i is here", "OpenAI is here"),
        ("i os is here, i, os", "iOS is here, i, os"),
        ("Ana spoke", "Ana spoke"),
    ],
)
def test_terms_are_written_as_they_are_spelt(text: str, written: str) -> None:
    assert (
        apply_vocabulary(text, ["Kubernetes", "Voxtral", "OpenAI", "iOS", "Ann", "--"]) == written
    )


@given(st.text(), st.lists(st.text()))
def test_no_list_of_terms_can_break_a_text(text: str, terms: list[str]) -> None:
    assert isinstance(apply_vocabulary(text, terms), str)
    assert isinstance(apply_replacements(text, [(t, "x") for t in terms]), str)


def test_all_steps_together() -> None:
    rules = TextRules(vocabulary=("Voxtral",), replacements=(("gonna", "going to"),))

    written = clean("Um, I'm gonna use voxtrall full stop new line bye", "en", rules, NOW)

    assert written == "I'm going to use Voxtral.\nBye"
