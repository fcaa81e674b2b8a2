"""The list reads pages, knows its days, and follows what changes."""

from datetime import datetime

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from app.core.recording import RecordingStatus
from app.core.transcript import Segment, Transcript
from app.library.search import ListQuery, Sort
from app.ui.job_board import JobBoard
from app.ui.library.model import PAGE, RecordingModel
from tests.helpers.ui_fakes import FakeLibrary, recording, world_of
from tests.helpers.ui_signals import FakeDesk


def model_of(library: FakeLibrary) -> RecordingModel:
    model = RecordingModel(library, FakeDesk(), JobBoard())
    model.show_query(ListQuery())
    return model


def ids(model: RecordingModel) -> list[str | None]:
    return [model.recording_id(row) for row in range(model.rowCount())]


def test_qt_finds_no_fault_with_it(qapp: QApplication) -> None:
    library = world_of(7).library
    model = RecordingModel(library, FakeDesk(), JobBoard())
    tester = QAbstractItemModelTester(model)
    model.show_query(ListQuery())
    library.put(recording(99))
    model.refresh(["r000099"])
    model.show_query(ListQuery("recording"))
    assert tester.model() is model


def test_only_pages_that_are_looked_at_are_read(qapp: QApplication) -> None:
    library = world_of(100_000).library
    model = model_of(library)
    assert model.rowCount() == 100_000
    assert library.rows_read == 0
    model.row(0)
    assert library.rows_read == PAGE
    assert model.recording_id(99_999) == "r099999"
    assert library.rows_read <= 2 * PAGE + 1


def test_memory_is_bounded(qapp: QApplication) -> None:
    library = world_of(14_000).library
    model = model_of(library)
    for row in range(0, 14_000, PAGE):
        model.row(row)
    assert model.pages_in_memory <= 100


def test_days_begin_where_the_date_changes(qapp: QApplication) -> None:
    noon = datetime(2026, 11, 20, 12).timestamp()
    library = FakeLibrary([recording(at, created_at=noon - at * 86_400 / 2) for at in range(6)])
    model = model_of(library)
    model.ensure(0, 5)
    starts = model.day_starts()
    days = [model.day(row) for row in range(6)]
    assert starts == [row for row in range(6) if row == 0 or days[row] != days[row - 1]]


def test_a_day_over_a_page_border_has_one_header(qapp: QApplication) -> None:
    noon = datetime(2026, 11, 20, 12).timestamp()
    library = FakeLibrary([recording(at, created_at=noon - at) for at in range(PAGE + 50)])
    model = model_of(library)
    model.ensure(PAGE, PAGE + 10)
    model.ensure(0, 10)
    assert model.day_starts() == [0]


def test_what_went_to_the_bin_leaves_and_comes_back(qapp: QApplication) -> None:
    world = world_of(6)
    model = model_of(world.library)
    model.row(0)
    world.organiser.move_to_bin(["r000001", "r000004"])
    model.refresh(["r000001", "r000004"])
    assert ids(model) == ["r000000", "r000002", "r000003", "r000005"]
    world.organiser.restore(["r000004"])
    model.refresh(["r000004"])
    assert ids(model) == ["r000000", "r000002", "r000003", "r000004", "r000005"]


@pytest.mark.parametrize("sort", [each for each in Sort if each is not Sort.NEWEST])
def test_only_the_newest_first_have_days(qapp: QApplication, sort: Sort) -> None:
    model = model_of(world_of(6).library)
    model.row(0)
    assert model.day_starts()
    model.show_query(ListQuery(sort=sort))
    model.row(0)
    assert model.day_starts() == []


def test_rows_are_known_by_their_numbers_without_reading_them(qapp: QApplication) -> None:
    library = world_of(100_000).library
    model = model_of(library)
    numbers = model.numbers(range(100_000))
    assert library.ids_at(numbers[-1:]) == ["r099999"]
    assert model.rows_of_numbers(frozenset(numbers[5:8])) == [5, 6, 7]
    assert model.row_of("r050000") == 50_000
    assert library.rows_read == 0


def test_the_old_rows_stay_until_the_new_ones_are_known(qapp: QApplication) -> None:
    world = world_of(6)
    world.library.put(recording(2, status=RecordingStatus.FAILED))
    desk = FakeDesk()
    model = RecordingModel(world.library, desk, JobBoard())
    model.show_query(ListQuery())
    desk.is_holding = True
    model.show_query(ListQuery(status=RecordingStatus.FAILED))
    assert len(ids(model)) == 6
    assert not model.has_days or model.query.status is RecordingStatus.FAILED
    desk.answer()
    assert ids(model) == ["r000002"]


def test_a_change_while_the_list_is_read_is_not_missed(qapp: QApplication) -> None:
    world = world_of(3)
    desk = FakeDesk()
    model = RecordingModel(world.library, desk, JobBoard())
    model.show_query(ListQuery())
    desk.is_holding = True
    model.reload()
    question, use = desk.waiting.pop("list")
    answer = question()  # as the library was
    world.library.put(recording(9))
    model.refresh(["r000009"])
    use(answer)
    assert len(ids(model)) == 3
    desk.answer()
    assert ids(model) == ["r000009", "r000000", "r000001", "r000002"]


def test_a_failed_answer_does_not_end_the_asking(qapp: QApplication) -> None:
    world = world_of(3)
    desk = FakeDesk()
    model = RecordingModel(world.library, desk, JobBoard())
    model.show_query(ListQuery())
    desk.is_holding = True
    model.reload()
    desk.waiting.clear()
    desk.failed.emit(None)
    desk.is_holding = False
    world.library.drop(["r000001"])
    model.refresh(["r000001"])
    assert ids(model) == ["r000000", "r000002"]


def test_a_changed_recording_is_read_alone(qapp: QApplication) -> None:
    library = world_of(1000).library
    model = model_of(library)
    model.row(0)
    read = library.rows_read
    resets: list[object] = []
    model.modelReset.connect(lambda: resets.append(1))
    library.put(recording(3, "A new title"))
    model.refresh(["r000003"])
    row = model.row(3)
    assert row is not None
    assert row.recording.title == "A new title"
    assert library.rows_read == read + 1
    assert not resets


def test_names_of_jobs_and_far_recordings_cost_nothing(qapp: QApplication) -> None:
    library = world_of(1000).library
    model = model_of(library)
    model.row(0)
    read = library.rows_read
    model.refresh(["j000003", "r000900"])
    assert library.rows_read == read


def test_a_recording_that_begins_to_fit_is_shown(qapp: QApplication) -> None:
    library = world_of(4).library
    library.put(recording(1, status=RecordingStatus.FAILED))
    model = RecordingModel(library, FakeDesk(), JobBoard())
    model.show_query(ListQuery(status=RecordingStatus.FAILED))
    model.row(0)
    library.put(recording(1))
    library.put(recording(2, status=RecordingStatus.FAILED))
    model.refresh(["r000002", "r000001"])
    assert ids(model) == ["r000002"]


def test_a_recording_that_no_longer_fits_leaves(qapp: QApplication) -> None:
    library = world_of(4).library
    library.put(recording(2, status=RecordingStatus.FAILED))
    model = RecordingModel(library, FakeDesk(), JobBoard())
    model.show_query(ListQuery(status=RecordingStatus.FAILED))
    assert ids(model) == ["r000002"]
    library.put(recording(2))
    model.refresh(["r000002"])
    assert ids(model) == []


def test_a_library_that_became_shorter_gives_no_row(qapp: QApplication) -> None:
    library = world_of(300).library
    model = model_of(library)
    library.drop([f"r{at:06d}" for at in range(10, 300)])
    assert model.row(250) is None
    assert model.data(model.index(250)) is None


@pytest.mark.parametrize("count", [0, 3, 29, 30, 31, 120])
def test_a_search_shows_the_first_hits_and_then_counts_all(qapp: QApplication, count: int) -> None:
    library = world_of(count).library
    desk = FakeDesk()
    desk.is_holding = True
    model = RecordingModel(library, desk, JobBoard())
    model.show_query(ListQuery("recording"))
    question, use = desk.waiting.pop("list")
    use(question())
    assert model.rowCount() == min(count, 30)
    assert model.is_whole is (count < 30)
    desk.answer()
    assert model.is_whole
    assert model.rowCount() == count
    assert len(set(ids(model))) == count


def test_hits_further_down_are_explained_when_they_are_looked_at(qapp: QApplication) -> None:
    library = world_of(120).library
    line = Transcript((Segment(0, 1, "Nothing here."), Segment(7, 9, "Then the river rose.")))
    library.transcripts = {item.recording_id: line for item in library.items}
    desk = FakeDesk()
    model = RecordingModel(library, desk, JobBoard())
    model.show_query(ListQuery("river"))
    desk.is_holding = True
    row = model.row(110)
    assert row is not None
    assert row.snippet == ""
    model.ensure(60, 70)
    model.ensure(105, 115)
    desk.answer()
    rows = [model.row(at) for at in (29, 65, 110)]
    assert [row.start_s for row in rows if row is not None] == [7, None, 7]
    assert model.start_s(65) == 7


def test_a_hit_shows_where_it_matches(qapp: QApplication) -> None:
    library = FakeLibrary([recording(1)])
    line = Transcript((Segment(0, 1, "Nothing here."), Segment(7, 9, "Then the river rose.")))
    library.transcripts["r000001"] = line
    model = RecordingModel(library, FakeDesk(), JobBoard())
    model.show_query(ListQuery("river"))
    row = model.row(0)
    assert row is not None
    assert row.start_s == 7
    assert [row.snippet[start:end] for start, end in row.matches] == ["river"]
