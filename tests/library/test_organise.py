"""Bin, favourites, folders, tags and filters, through the writer and the reader."""

from dataclasses import replace

import pytest

from app.core.errors import LibraryError
from app.core.recording import RecordingKind, RecordingStatus
from app.library.search import ListQuery, Sort
from tests.library.builders import Library

WAIT = 30


@pytest.fixture
def filled(library: Library) -> Library:
    library.add("a", "Alpha", "We met in Paris.", kind=RecordingKind.FILE, duration_s=5.0)
    library.add("b", "beta", "A quick thought.", kind=RecordingKind.QUICK, duration_s=9.0)
    library.add("c", "Gamma", "Dear Ada,", kind=RecordingKind.DICTATION, app_name="Mail")
    return library


def test_what_goes_to_the_bin_leaves_every_list_and_comes_back_as_it_was(filled: Library) -> None:
    folder = filled.writer.add_folder("Work").result(WAIT)
    filled.writer.move_to_folder(["a"], folder.folder_id).result(WAIT)
    filled.writer.tag(["a"], "trip").result(WAIT)
    before = filled.reader.recording("a")

    assert filled.writer.move_to_bin(["a", "gone"], at=50.0).result(WAIT) == ("a",)
    assert filled.writer.move_to_bin(["a"], at=90.0).result(WAIT) == ()
    assert filled.reader.ids() == ["c", "b"]
    assert filled.reader.search(ListQuery("Paris")) == []
    assert filled.reader.ids(ListQuery(folder_id=folder.folder_id)) == []
    assert [tag.count for tag in filled.reader.tags()] == [0]
    assert filled.reader.ids(ListQuery(is_binned=True)) == ["a"]
    assert [hit.recording.deleted_at for hit in filled.reader.search(
        ListQuery("Paris", is_binned=True)
    )] == [50.0]  # fmt: skip

    assert filled.writer.restore(["a"]).result(WAIT) == ("a",)
    assert filled.reader.recording("a") == before
    assert filled.reader.ids(ListQuery(folder_id=folder.folder_id)) == ["a"]
    assert filled.reader.count(ListQuery(is_binned=True)) == 0


def test_the_bin_shows_the_last_thrown_away_first(filled: Library) -> None:
    for name, at in (("b", 1.0), ("a", 3.0), ("c", 2.0)):
        filled.writer.move_to_bin([name], at=at).result(WAIT)
    assert filled.reader.ids(ListQuery(is_binned=True)) == ["a", "c", "b"]
    assert filled.reader.recordings() == []


def test_folders_hold_one_recording_once_and_leave_it_behind(filled: Library) -> None:
    work = filled.writer.add_folder("  Work ").result(WAIT)
    assert filled.writer.add_folder("Work").result(WAIT) == work
    home = filled.writer.add_folder("home").result(WAIT)
    filled.writer.move_to_folder(["a", "b"], work.folder_id).result(WAIT)
    moved = filled.writer.move_to_folder(["b", "c"], home.folder_id).result(WAIT)
    assert moved == {"b": work.folder_id, "c": None}
    assert [(f.name, f.count) for f in filled.reader.folders()] == [("home", 2), ("Work", 1)]
    assert filled.writer.move_to_folder(["a"], "no such folder").result(WAIT) == {}
    assert filled.writer.rename_folder(work.folder_id, "Office").result(WAIT)
    assert filled.writer.remove_folder(home.folder_id).result(WAIT) == ("b", "c")
    assert filled.reader.ids(ListQuery(folder_id="")) == ["c", "b"]
    assert [f.name for f in filled.reader.folders()] == ["Office"]
    with pytest.raises(LibraryError, match="needs a name"):
        filled.writer.add_folder(" \n").result(WAIT)


def test_tags_come_and_go_with_what_carries_them(filled: Library) -> None:
    assert filled.writer.tag(["a", "b"], "Trip").result(WAIT) == ("a", "b")
    assert filled.writer.tag(["b", "c"], "trip").result(WAIT) == ("c",)
    filled.writer.tag(["c"], "work").result(WAIT)
    assert filled.reader.tags_of("c") == ("Trip", "work")
    assert filled.reader.ids(ListQuery(tag="TRIP")) == ["c", "b", "a"]
    assert filled.reader.ids(ListQuery("quick", tag="trip")) == ["b"]
    assert filled.writer.rename_tag("work", "Trip").result(WAIT)
    assert [(tag.name, tag.count) for tag in filled.reader.tags()] == [("Trip", 3)]
    assert filled.writer.untag(["a", "b", "c"], "trip").result(WAIT) == ("a", "b", "c")
    assert filled.reader.tags() == []


def test_lists_are_filtered_and_sorted(filled: Library) -> None:
    filled.writer.set_favourite(["b"], True).result(WAIT)
    filled.writer.update_recording("c", status=RecordingStatus.FAILED, language="en").result(WAIT)
    filled.writer.splice_segments("a", 0, 1, (), at=7.0).result(WAIT)
    ids = filled.reader.ids
    assert ids(ListQuery(is_favourite=True)) == ["b"]
    assert ids(ListQuery(is_favourite=False)) == ["c", "a"]
    assert ids(ListQuery(app_name="Mail")) == ["c"]
    assert ids(ListQuery(language="en", status=RecordingStatus.FAILED)) == ["c"]
    assert ids(ListQuery(since=1_700_000_000.0, before=1_700_000_001.0)) == ["c", "b", "a"]
    assert ids(ListQuery(since=1_700_000_001.0)) == []
    assert ids(ListQuery(is_doubtful=True)) == []
    assert ids(ListQuery(sort=Sort.OLDEST)) == ["a", "b", "c"]
    assert ids(ListQuery(sort=Sort.TITLE)) == ["a", "b", "c"]
    assert ids(ListQuery(sort=Sort.LONGEST)) == ["b", "a", "c"]
    assert ids(ListQuery(sort=Sort.EDITED))[0] == "a"
    assert filled.reader.values_of("app_name") == ["Mail"]
    assert filled.reader.values_of("kind") == ["dictation", "file", "quick"]


def test_notes_are_found_and_titles_are_made_of_first_words(library: Library) -> None:
    library.add("a", "", "So, the first thing to say is this. Then more.")
    assert library.reader.recording("a").title == "So, the first thing to say is this"  # type: ignore[union-attr]
    assert [hit.recording.recording_id for hit in library.reader.search(ListQuery("first"))] == [
        "a"
    ]
    library.writer.update_recording("a", notes="Für Ada, 3.5 pages").result(WAIT)
    assert library.reader.ids(ListQuery("fur ada")) == ["a"]
    library.writer.update_recording("a", notes="").result(WAIT)
    assert library.reader.ids(ListQuery("ada")) == []
    library.add("b", "", "wordswithoutanyend" * 10)
    title = library.reader.recording("b").title  # type: ignore[union-attr]
    assert len(title) == 60
    assert title.endswith("…")


def test_a_run_again_is_in_no_list_and_goes_with_its_recording(filled: Library) -> None:
    filled.add("again", "Alpha", "We met in parish.", rerun_of="a")
    assert filled.reader.ids() == ["c", "b", "a"]
    assert filled.reader.search(ListQuery("parish")) == []
    assert [found.recording_id for found in filled.reader.reruns_of("a")] == ["again"]
    filled.writer.remove(["a"]).result(WAIT)
    assert filled.reader.recording("again") is None


FILTERS = (
    ListQuery(),
    ListQuery(kind=RecordingKind.QUICK),
    ListQuery(status=RecordingStatus.FAILED),
    ListQuery(language="de"),
    ListQuery(model_id="nano"),
    ListQuery(is_favourite=True),
    ListQuery(is_doubtful=True),
    ListQuery(app_name="Mail"),
    ListQuery(since=3.0, before=9.0),
    ListQuery(tag="trip"),
    ListQuery(folder_id=""),
    ListQuery("paris"),
    ListQuery("paris", language="de"),
    ListQuery("paris", ranked=True),
)


@pytest.fixture
def many(library: Library) -> Library:
    for at in range(12):
        library.add(
            f"r{at}",
            f"Title {(at * 5) % 12}",
            "We met in Paris." if at % 2 else "Nothing.",
            kind=tuple(RecordingKind)[at % 3],
            status=RecordingStatus.FAILED if at % 4 == 0 else RecordingStatus.DONE,
            model_id=("nano", "turbo")[at // 6],
            app_name="Mail" if at % 3 == 0 else None,
            duration_s=float((at * 7) % 12),
            created_at=float(at),
        )
        library.writer.update_recording(f"r{at}", language=("de", "en")[at % 2])
    library.writer.set_favourite(["r2", "r5"], True).result(WAIT)
    library.writer.tag(["r1", "r5", "r6"], "trip").result(WAIT)
    library.writer.move_to_bin(["r11"]).result(WAIT)
    for at in (3, 9, 1):
        library.writer.splice_segments(f"r{at}", 0, 0, []).result(WAIT)
    return library


@pytest.mark.parametrize("sort", list(Sort))
def test_a_list_by_its_numbers_is_the_list(many: Library, sort: Sort) -> None:
    for query in FILTERS:
        asked = replace(query, sort=sort)
        numbers = many.reader.numbers(asked)
        ids = many.reader.ids_at(numbers)
        assert ids == many.reader.ids(asked)
        assert many.reader.mark(asked) == (len(numbers), sum(numbers))
        assert list(many.reader.numbers(asked, 2)) == list(numbers[:2])
        found = many.reader.recordings_at(numbers)
        assert [found[number].recording_id for number in numbers] == ids
        if query.text and not query.ranked and sort is not Sort.OLDEST:
            plain = many.reader.ids(replace(asked, text=""))
            if sort in (Sort.NEWEST, Sort.TITLE, Sort.LONGEST):
                assert ids == [key for key in plain if key in set(ids)]


def test_what_is_sorted_is_in_order(many: Library) -> None:
    def values(sort: Sort, field: str, **filters: object) -> list[object]:
        query = ListQuery(sort=sort, **filters)  # type: ignore[arg-type]
        rows = many.reader.recordings_at(many.reader.numbers(query))
        return [getattr(rows[number], field) for number in many.reader.numbers(query)]

    for filters in ({}, {"language": "de"}, {"text": "paris"}, {"status": RecordingStatus.FAILED}):
        titles = [str(each).casefold() for each in values(Sort.TITLE, "title", **filters)]
        assert titles == sorted(titles)
        lengths = values(Sort.LONGEST, "duration_s", **filters)
        assert lengths == sorted(lengths, reverse=True)  # type: ignore[type-var]
        assert len(lengths) == many.reader.count(ListQuery(**filters))
    made = values(Sort.OLDEST, "created_at")
    assert made == sorted(made)  # type: ignore[type-var]


def test_the_overview_says_what_there_is(many: Library) -> None:
    folder = many.writer.add_folder("Work").result(WAIT)
    many.writer.move_to_folder(["r1", "r2", "r11"], folder.folder_id).result(WAIT)
    there = many.reader.overview()
    assert (there.total, there.failed) == (11, 3)
    assert [(each.name, each.count) for each in there.folders] == [("Work", 2)]
    assert [(each.name, each.count) for each in there.tags] == [("trip", 3)]
    assert there.languages == ("de", "en")
    assert there.model_ids == ("nano", "turbo")
    assert there.app_names == ("Mail",)


def test_hits_are_explained_by_their_numbers(many: Library) -> None:
    numbers = many.reader.numbers(ListQuery("paris"))
    hits = many.reader.hits_at([*numbers[:2], 999], "paris")
    assert list(hits) == list(numbers[:2])
    assert all(any(piece.is_match for piece in hit.snippet) for hit in hits.values())
    assert many.reader.number_of("r3") in numbers
    assert many.reader.number_of("nobody") is None


def test_a_thousand_are_changed_together(library: Library) -> None:
    ids = [f"r{at}" for at in range(1_000)]
    for name in ids[:30]:
        library.add(name, name, "Words.")
    moved = library.writer.move_to_bin([*ids, *ids]).result(WAIT)
    assert sorted(moved) == sorted(ids[:30])
    assert library.writer.move_to_bin(ids).result(WAIT) == ()
    assert sorted(library.writer.restore(ids).result(WAIT)) == sorted(ids[:30])
    assert len(library.writer.tag(ids, "all").result(WAIT)) == 30
    assert len(library.writer.untag(ids, "all").result(WAIT)) == 30
    assert library.reader.tags() == []
