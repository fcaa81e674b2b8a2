"""The rules of insertion without a system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.macos.insert_rules import (
    HOLD_S,
    PASTE_TIMEOUT_S,
    QUIET_S,
    CaretContext,
    Field,
    PasteStep,
    PasteWatch,
    Scene,
    Way,
    fit_to_caret,
    ways_to_try,
)

scenes = st.builds(
    Scene,
    field=st.sampled_from(Field),
    is_trusted=st.booleans(),
    is_input_secure=st.booleans(),
    is_verifiable=st.booleans(),
    preferred=st.none() | st.sampled_from(Way),
    has_newline=st.booleans(),
)


@given(scenes)
def test_the_ladder_ends_where_nothing_is_lost(scene: Scene) -> None:
    ways = ways_to_try(scene)
    assert ways[-1] in (Way.CLIPBOARD, Way.REFUSED)
    assert len(set(ways)) == len(ways)
    if scene.field is Field.SECURE:
        assert ways == (Way.REFUSED,)
    if not scene.is_trusted:
        assert ways[0] in (Way.CLIPBOARD, Way.REFUSED)
    if scene.has_newline:
        assert Way.TYPED not in ways
    if Way.ACCESSIBILITY in ways:
        assert scene.field is Field.TEXT
        assert scene.is_verifiable


def test_the_ladder_in_order() -> None:
    assert ways_to_try(Scene(Field.TEXT, is_verifiable=True)) == (
        Way.ACCESSIBILITY,
        Way.PASTE,
        Way.TYPED,
        Way.CLIPBOARD,
    )
    assert ways_to_try(Scene(Field.WEB, is_verifiable=True))[0] is Way.PASTE
    assert ways_to_try(Scene(Field.TEXT, is_verifiable=True, preferred=Way.TYPED))[0] is Way.TYPED
    assert ways_to_try(Scene(Field.UNKNOWN, is_input_secure=True)) == (Way.CLIPBOARD,)
    assert ways_to_try(Scene(Field.TEXT, is_input_secure=True))[0] is Way.PASTE


def test_the_clipboard_waits_for_a_reader_and_a_quiet_moment() -> None:
    watch = PasteWatch(sent_at_s=10.0)
    assert watch.decide(10.1, is_ours=True) is PasteStep.WAIT
    watch.reader_seen(9.9)  # a clipboard program that looked before the key was sent
    assert not watch.was_read
    watch.reader_seen(11.0)
    assert watch.decide(11.0 + QUIET_S / 2, is_ours=True) is PasteStep.WAIT
    watch.reader_seen(11.1)
    assert watch.decide(11.05 + QUIET_S, is_ours=True) is PasteStep.WAIT
    assert watch.decide(11.11 + QUIET_S, is_ours=True) is PasteStep.RESTORE


def test_where_the_reader_is_not_known_the_text_is_kept_for_a_while() -> None:
    watch = PasteWatch(sent_at_s=10.0, hold_s=HOLD_S)
    watch.reader_seen(10.05)  # a clipboard program may have been faster than the one in front
    assert watch.decide(9.99 + HOLD_S, is_ours=True) is PasteStep.WAIT
    assert watch.decide(10.0 + HOLD_S, is_ours=True) is PasteStep.RESTORE
    watch.reader_seen(13.0)
    assert watch.decide(12.99 + QUIET_S, is_ours=True) is PasteStep.WAIT


def test_a_newer_copy_wins_whatever_happened() -> None:
    watch = PasteWatch(0.0)
    assert watch.decide(0.1, is_ours=False) is PasteStep.YIELD
    watch.reader_seen(0.2)
    assert watch.decide(99.0, is_ours=False) is PasteStep.YIELD


def test_text_that_nobody_fetched_stays() -> None:
    watch = PasteWatch(0.0)
    assert watch.decide(PASTE_TIMEOUT_S - 0.1, is_ours=True) is PasteStep.WAIT
    assert watch.decide(PASTE_TIMEOUT_S, is_ours=True) is PasteStep.LEAVE


@pytest.mark.parametrize(
    ("before", "after", "said", "fitted", "language"),
    [
        ("", "", "Hello there.", "Hello there.", "en"),
        ("", "", "hello there.", "Hello there.", "en"),
        ("Hello.", "", "How are you?", " How are you?", "en"),
        ("Hello. ", "", "How are you?", "How are you?", "en"),
        ("I went", "", "And then we left.", " and then we left.", "en"),
        ("I went ", "", "And then", "and then", "en"),
        ("I met ", "", "Ada yesterday.", "Ada yesterday.", "en"),
        ("so ", "", "I think", "I think", "en"),
        ("so ", "", "It's fine", "it's fine", "en"),
        ("so ", "", "It’s fine", "it’s fine", "en"),
        ("see ", "", "NASA", "NASA", "en"),
        ("(", "", "The house", "the house", "en"),
        ("He said “", "", "No", "no", "en"),
        ("done", "", ", and more", ", and more", "en"),
        ("one", " two", "or", " or", "en"),
        ("one ", "two", "or", "or ", "en"),
        ("I like ", " very much", "The sea.", "the sea", "en"),
        ("I like ", ", too", "The sea.", "the sea", "en"),
        ("I like ", ", too", "Wait...", "Wait...", "en"),
        ("I like ", "very", ".", ". ", "en"),
        ("First\n", "", "then", "Then", "en"),
        ("Ich sah", "", "Häuser und", " Häuser und", "de"),
        ("Ich sah,", "", "Dass es ging.", " dass es ging.", "de"),
        ("Je pense", "", "Que oui.", " que oui.", "fr"),
        ("Creo", "", "Que sí.", " que sí.", "es"),
        ("Ik denk", "", "Dat het kan.", " Dat het kan.", "nl"),
        ("你好", "", "世界", "世界", "zh"),
        ("abc", "", "世界", "世界", "zh"),
        ("こんにちは", "", "Tokyo", "Tokyo", "ja"),
        ("안녕", "", "하세요", " 하세요", "ko"),
        ("Note:", "", "buy milk", " buy milk", "en"),
        ("He asked “why?”", "", "And left", " And left", "en"),
        ("x", "y", "   ", "", "en"),
    ],
)
def test_text_fits_its_surroundings(
    before: str, after: str, said: str, fitted: str, language: str
) -> None:
    assert fit_to_caret(said, CaretContext(before, after), language) == fitted


texts = st.text(alphabet="aZ0 .,!?ßéЖ你ก“”\n-")


@given(texts, texts, texts, st.sampled_from(["en", "de", "zh", None]))
def test_fitting_changes_nothing_but_edges(
    before: str, after: str, said: str, language: str | None
) -> None:
    fitted = fit_to_caret(said, CaretContext(before, after), language)
    core, wanted = fitted.strip(" ").casefold(), said.strip(" ").casefold()
    assert core in (wanted, wanted[:-1].rstrip(" "))
    assert core == wanted or wanted.endswith(".")
