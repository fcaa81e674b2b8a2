from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.recording import RecordingKind, RecordingStatus
from app.library.search import ListQuery, Piece, matches, parse, snippet
from tests.library.builders import Library, make_recording

SAYINGS = {
    "zh": ("明天下午三点开会讨论预算", "预算"),
    "ja": ("明日の会議は東京駅で行います", "東京駅"),
    "ko": ("내일 회의는 서울역에서 합니다", "서울역"),
    "ar": ("الاجتماع غدًا في القاهرة", "القاهره"),
    "he": ("הפגישה מחר בירושלים", "בירושלים"),
    "hi": ("कल की बैठक दिल्ली में होगी", "दिल्ली"),
    "th": ("การประชุมพรุ่งนี้ที่กรุงเทพ", "กรุงเทพ"),
    "de": ("Die Straßenbahn fährt über Köln", "strassenbahn koln"),
    "tr": ("İstanbul'da IŞIK yok", "istanbul ışık"),
    "fr": ("L’été déjà fini", "ete deja"),
    "vi": ("Cuộc họp ngày mai ở Hà Nội", "ha noi"),
}


def ids(library: Library, text: str, **fields: object) -> list[str]:
    query = ListQuery(text, **fields)  # type: ignore[arg-type]
    found = [hit.recording.recording_id for hit in library.reader.search(query)]
    if not query.ranked:
        assert found == [held.recording_id for held in library.reader.recordings(query)]
    assert library.reader.count(query) == len(found)
    return found


def test_every_script_is_found_and_highlighted(library: Library) -> None:
    for language, (text, _) in SAYINGS.items():
        library.add(language, "untitled", "something before", text)
    for language, (text, query) in SAYINGS.items():
        hits = library.reader.search(ListQuery(query))
        assert [hit.recording.recording_id for hit in hits] == [language]
        assert hits[0].segment_seq == 1
        assert hits[0].start_s == 10.0
        assert "".join(piece.text for piece in hits[0].snippet) == text
        assert any(piece.is_match for piece in hits[0].snippet)


def test_words_are_joined_the_last_may_go_on_and_quotes_keep_order(library: Library) -> None:
    library.add("a", "Budget meeting", "we talked about money", "and about the quarterly report")
    library.add("b", "Holiday", "money for the holiday report")
    assert ids(library, "money report") == ["b", "a"]
    assert ids(library, "money quarter") == ["a"]
    assert ids(library, "quarter money") == []  # only the last word may be a beginning
    assert ids(library, '"quarterly report"') == ["a"]
    assert ids(library, '"report quarterly"') == []
    assert ids(library, "“quarterly report”") == ["a"]
    assert ids(library, '"the quart') == ["a"]  # a quote not closed yet
    assert ids(library, "budget money") == ["a"]  # title and text together
    assert ids(library, "money NOT holiday") == []
    assert ids(library, "") == ["b", "a"]


def test_newest_first_and_ranked(library: Library) -> None:
    library.add("old", "x", "whale whale whale")
    library.add("new", "x", "a whale and a great many other things " * 5)
    assert ids(library, "whale") == ["new", "old"]
    assert ids(library, "whale", ranked=True) == ["old", "new"]


def test_filters_apply_to_list_and_search(library: Library) -> None:
    library.add("a", "x", "hello", kind=RecordingKind.DICTATION, model_id="m")
    library.add("b", "x", "hello", status=RecordingStatus.FAILED)
    library.writer.update_recording("a", language="de").result(timeout=30)
    for text in ("", "hello"):
        assert ids(library, text, kind=RecordingKind.DICTATION) == ["a"]
        assert ids(library, text, status=RecordingStatus.FAILED) == ["b"]
        assert ids(library, text, language="de") == ["a"]
        assert ids(library, text, model_id="m", ranked=True) == ["a"]
        assert ids(library, text, language="fr") == []


def test_title_hits_show_the_beginning(library: Library) -> None:
    library.add("a", "Überraschung", "first words", "more")
    (hit,) = library.reader.search(ListQuery("uberraschung"))
    assert hit.segment_seq is None
    assert hit.start_s is None
    assert hit.snippet == (Piece("first words"),)


def test_the_line_with_most_terms_is_shown(library: Library) -> None:
    library.add("a", "x", "alpha", "", "beta alpha", "beta")
    (hit,) = library.reader.search(ListQuery("alpha beta"))
    assert hit.segment_seq == 2


def test_what_is_removed_renamed_or_replaced_is_not_found(library: Library) -> None:
    library.add("a", "Old title", "old words")
    library.writer.update_recording("a", title="New title").result(timeout=30)
    assert ids(library, '"old title"') == []
    assert ids(library, "new title") == ["a"]
    library.add("b", "x", "old words")
    library.writer.replace_transcript("b", []).result(timeout=30)
    assert ids(library, "old words") == ["a"]
    library.writer.remove(["a"]).result(timeout=30)
    assert ids(library, "old") == []


HOSTILE = [
    '"', '""', '"""', "'", "*", "a*", "-x", "col:", "title:x", "body : x", "NEAR(a b)", "a NEAR b",
    "AND", "a AND", "OR OR", "NOT", "(", "a)", "{a}: c", "^a", "a + b", "\x00", "a\x00b", "\ud800",
    "%", "_", ";--", "a" * 5000, '"' * 999, "a " * 999, "\\", "\u202e", "🎉", "ﷺ",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_queries_are_only_text(library: Library, text: str) -> None:
    library.add("a", "x", "hello")
    ids(library, text)
    ids(library, text, ranked=True)


PARTS = [
    '"', "'", "*", "-", "^", ":", "(", ")", "{", "}", "+", " ", "NEAR", "AND", "OR", "NOT", "a",
    "col", "title", "body", "\x00", "東", "京", "é", "5", ",", "NEAR(a b, 2)", "\ud800",
]  # fmt: skip


def test_ten_thousand_strings_are_safe_queries(library: Library) -> None:
    library.add("a", "NEAR the OR gate", 'she said "no" and col: 5 -x', "東京 a* b")
    random = Random(20)
    for count in range(10_000):
        length = random.randrange(12)
        if count % 2:
            text = "".join(random.choice(PARTS) for _ in range(length))
        else:
            text = "".join(chr(random.randrange(0x110000)) for _ in range(length))
        assert len(library.reader.recordings(ListQuery(text))) <= 1


@settings(
    max_examples=200, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.text(max_size=30))
def test_no_string_is_an_unsafe_query(library: Library, text: str) -> None:
    assert len(library.reader.recordings(ListQuery(text, ranked=True))) <= 1


WORDS = st.sampled_from(
    ["straße", "Strasse", "東京", "東", "京都", "a", "ab", "abc", "é", "e", "학교"]
)


@settings(
    max_examples=150, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.lists(WORDS, min_size=1, max_size=6).map(" ".join), st.lists(WORDS, min_size=1, max_size=3)
)
def test_what_the_index_finds_is_what_is_highlighted(
    library: Library, text: str, wanted: list[str]
) -> None:
    query = " ".join(wanted)
    library.writer.add_recording(make_recording("one", text)).result(timeout=30)
    found = any(held.recording_id == "one" for held in library.reader.recordings(ListQuery(query)))
    library.writer.remove(["one"]).result(timeout=30)
    last = len(wanted) - 1
    each = [
        matches(text, word if place == last else f'"{word}"') for place, word in enumerate(wanted)
    ]
    assert found == all(each)


def test_matches_are_places_in_the_original() -> None:
    text = "Die STRAẞE in Mu\u0308nchen, 東京駅"
    assert [text[a:b] for a, b in matches(text, "strasse munchen")] == ["STRAẞE", "Mu\u0308nchen"]
    assert [text[a:b] for a, b in matches(text, "mun")] == ["Mu\u0308nchen"]
    assert [text[a:b] for a, b in matches(text, "京駅")] == ["京駅"]
    assert matches(text, "") == []
    assert matches("aa aa", '"aa aa" a') == [(0, 5)]


@given(st.text(max_size=400), st.text(max_size=12))
def test_a_snippet_is_part_of_the_text(text: str, query: str) -> None:
    pieces = snippet(text, query)
    shown = "".join(piece.text for piece in pieces if piece != Piece("…"))
    assert shown in " ".join(text.split())
    assert len(shown) <= 160
    assert all(piece.text for piece in pieces)


def test_a_long_text_is_cut_around_its_match() -> None:
    text = "word " * 100 + "needle " + "word " * 100
    pieces = snippet(text, "needle")
    assert pieces[0] == pieces[-1] == Piece("…")
    assert [piece.text for piece in pieces if piece.is_match] == ["needle"]


def test_too_many_words_are_cut() -> None:
    assert len(parse("a " * 999)) == 24
