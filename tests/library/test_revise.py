"""Edited segments and the texts they replace."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.transcript import Segment, Word
from app.library.revise import RevisionKind, pack_segments, unpack_segments
from app.library.search import ListQuery
from tests.library.builders import Library, make_segment

WAIT = 30


def test_an_edit_replaces_a_run_of_segments_and_keeps_the_first_text(library: Library) -> None:
    library.add("a", "Alpha", "one two", "three four", "five six")
    raw = library.reader.transcript("a").segments
    new = (make_segment("zwei", 10.0), make_segment("drei", 12.0), make_segment("vier", 14.0))

    assert library.writer.splice_segments("a", 1, 1, new, at=5.0).result(WAIT)

    assert library.reader.transcript("a").segments == (raw[0], *new, raw[2])
    assert library.reader.segments("a", offset=4) == (raw[2],)
    assert library.reader.ids(ListQuery("drei")) == ["a"]
    assert library.reader.search(ListQuery("five"))[0].segment_seq == 4
    assert library.reader.ids(ListQuery("three")) == []
    (kept,) = library.reader.revisions("a")
    assert (kept.kind, kept.segment_count, kept.created_at) == (RevisionKind.RAW, 3, 5.0)
    assert library.reader.revision_segments(kept.revision_id) == raw
    assert library.reader.recording("a").edited_at == 5.0  # type: ignore[union-attr]

    assert library.writer.splice_segments("a", 1, 3).result(WAIT)
    assert library.reader.transcript("a").segments == (raw[0], raw[2])
    assert len(library.reader.revisions("a")) == 1


def test_an_edit_of_the_beginning_is_the_new_first_line(library: Library) -> None:
    library.add("a", "Alpha", "one two", "three")
    library.writer.splice_segments("a", 0, 1).result(WAIT)
    assert library.reader.recording("a").first_line == "three"  # type: ignore[union-attr]


def test_places_that_are_not_there_are_refused(library: Library) -> None:
    library.add("a", "Alpha", "one")
    with pytest.raises(ValueError, match="cannot be replaced"):
        library.writer.splice_segments("a", 0, 2).result(WAIT)
    assert not library.writer.splice_segments("gone", 0, 0).result(WAIT)


def test_doubt_is_counted_with_every_change(library: Library) -> None:
    def unsure(text: str, probability: float) -> Segment:
        return Segment(0.0, 1.0, text, (Word(text, 0.0, 1.0, probability),))

    library.add("a", "Alpha")
    library.writer.replace_transcript("a", [unsure("who", 0.01), unsure("me", 0.99)]).result(WAIT)
    assert library.reader.recording("a").doubt == 1  # type: ignore[union-attr]
    assert library.reader.ids(ListQuery(is_doubtful=True)) == ["a"]
    library.writer.splice_segments("a", 0, 1, [unsure("you", 1.0)]).result(WAIT)
    assert library.reader.ids(ListQuery(is_doubtful=True)) == []


def test_revisions_are_kept_read_and_removed(library: Library) -> None:
    library.add("a", "Alpha", "one")
    other = (make_segment("uno"),)
    edited = library.writer.keep_revision("a").result(WAIT)
    again = library.writer.add_revision(
        "a", RevisionKind.RERUN, other, language="it", model_id="big"
    ).result(WAIT)
    assert edited is not None
    assert again is not None
    assert library.reader.revisions("a") == [again, edited]
    assert library.reader.revision_segments(again.revision_id) == other
    assert library.writer.remove_revision(again.revision_id).result(WAIT)
    assert library.reader.revision_segments(again.revision_id) == ()
    assert library.writer.keep_revision("gone").result(WAIT) is None


texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.floats(0, 1e6)
words = st.builds(Word, texts, numbers, numbers, st.floats(0, 1))
segments = st.builds(
    Segment,
    numbers,
    numbers,
    texts,
    st.lists(words, max_size=3).map(tuple),
    st.none() | st.floats(0, 1),
    st.none() | texts,
    st.none() | texts,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(segments, max_size=4).map(tuple))
def test_packed_segments_come_back_as_they_were(given: tuple[Segment, ...]) -> None:
    assert unpack_segments(pack_segments(given)) == given
