"""The list of recordings: the numbers of all its rows, and of a few the recordings themselves.

The numbers, eight bytes a row, are read on the desk's thread, and until they are known the rows
before stay. Recordings are read by their numbers when they are looked at, a page at a time, and
only the last few dozen pages are kept: a place in the middle of a hundred thousand costs as much
as the first.
"""

from array import array
from bisect import insort
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.core.recording import Recording
from app.library.search import ListQuery, Piece, SearchHit, Sort
from app.ui.job_board import JobBoard
from app.ui.ports import Desk, LibraryReader
from app.ui.wording import day_of, spoken_row, title_of

PAGE = 100  # rows read at once
_KEPT_PAGES = 100
_HITS = 30  # of a search, shown before the others are counted
_KEPT_HITS = 2_000
_LOOKED_AT = 2  # pages that are read again at once when something changed
_FEW = 40  # recordings that are read again one by one rather than with their pages

RowRole = int(Qt.ItemDataRole.UserRole) + 1
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Row:
    """A recording in the list and, in a search, where it matches."""

    recording: Recording
    snippet: str = ""
    matches: tuple[tuple[int, int], ...] = ()  # in `snippet`
    start_s: float | None = None


_Place = tuple[int, Row | None]  # a row's number and, unless it is gone, the row


class RecordingModel(QAbstractListModel):
    """Rows of one `ListQuery`."""

    days_changed = Signal()  # which rows begin a day is known better now
    counted = Signal()  # of a search, how much there is

    def __init__(
        self, library: LibraryReader, desk: Desk, board: JobBoard, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._desk = desk
        self._board = board
        self._asked = ListQuery()
        self._query = ListQuery()  # what the rows are of
        self._numbers: Sequence[int] = array("q")
        self._is_whole = True
        self._has_answer = False
        self._is_new = False
        self._is_waiting = False
        self._is_stale = False  # the library changed while the list was being read
        self._pages: OrderedDict[int, list[_Place]] = OrderedDict()
        self._hits: OrderedDict[int, Row | None] = OrderedDict()  # by number
        self._old_hits: dict[int, Row | None] = {}  # shown until they are looked for again
        self._days: dict[int, date] = {}
        self._starts: list[int] = []
        board.changed.connect(self._on_jobs_changed)
        desk.failed.connect(self._on_failed)

    # What is shown

    @property
    def query(self) -> ListQuery:
        """What was asked for last; the rows may still be the ones before."""
        return self._asked

    @property
    def is_new(self) -> bool:
        """During a reset: whether it is another list, and not the same one read again."""
        return self._is_new

    @property
    def is_settled(self) -> bool:
        """Whether the rows are those that were asked for last."""
        return not self._is_waiting

    @property
    def is_whole(self) -> bool:
        """Whether all that fits is counted; of a search the first hits come before."""
        return self._is_whole

    @property
    def search_text(self) -> str:
        """What is searched for; empty when the list is no search."""
        return self._query.text.strip()

    @property
    def has_days(self) -> bool:
        """Whether the rows are in the order of their days, the newest first."""
        query = self._query
        return not self.search_text and query.sort is Sort.NEWEST and not query.is_binned

    def show_query(self, query: ListQuery) -> None:
        """Show the recordings of `query`, as soon as they are known; with a text, why they fit."""
        self._asked = query
        self._is_stale = False
        self._ask()

    def reload(self) -> None:
        """Read the list again."""
        if self._is_waiting:
            self._is_stale = True
        else:
            self._ask()

    def refresh(self, ids: Iterable[str]) -> None:
        """Read the recordings `ids` again, or all when there are none or many, and the list.

        Names of other things among `ids` (jobs) and recordings that are not in memory cost nothing.
        """
        ids = set(ids)
        if not ids or len(ids) > _FEW:
            self._forget_rows()
        else:
            self._read_again(self._places_of(ids))
        self.reload()

    def numbers(self, rows: Iterable[int]) -> list[int]:
        """Return what the library calls `rows`, for `LibraryReader.ids_at`."""
        return [self._numbers[row] for row in rows if 0 <= row < len(self._numbers)]

    def rows_of_numbers(self, numbers: Collection[int]) -> list[int]:
        """Return where rows stand now, by what the library calls them; those that are gone not."""
        wanted = numbers if isinstance(numbers, frozenset) else frozenset(numbers)
        return [row for row, number in enumerate(self._numbers) if number in wanted]

    # QAbstractListModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        if parent.isValid():
            return 0
        return len(self._numbers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if int(role) not in _ROLES or not index.isValid():
            return None
        row = self.row(index.row())
        if row is None:
            return None
        if role == RowRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return title_of(row.recording)
        return spoken_row(row.recording, self._board.job_of(row.recording.recording_id))

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    # Rows and days, as the view asks for them

    def row(self, row: int) -> Row | None:
        """Return a row; `None` when it has left the library meanwhile."""
        if not 0 <= row < len(self._numbers):
            return None
        number, plain = self._page(row // PAGE)[row % PAGE]
        if plain is None or not self.search_text:
            return plain
        hit = self._hits.get(number) or self._old_hits.get(number)
        if hit is None:
            return plain
        return replace(hit, recording=plain.recording)

    def ensure(self, first: int, last: int) -> None:
        """Have the rows `first` … `last` at hand; of a search, ask why they fit."""
        if not len(self._numbers):
            return
        first, last = max(0, first), min(last, len(self._numbers) - 1)
        for page in range(first // PAGE, last // PAGE + 1):
            self._page(page)
        if self.search_text:
            missing = [each for each in self._numbers[first : last + 1] if each not in self._hits]
            if missing:
                self._ask_why(missing)

    def start_s(self, row: int) -> float | None:
        """Return where in a recording the search matches."""
        if not self.search_text or not 0 <= row < len(self._numbers):
            return None
        number = self._numbers[row]
        if number not in self._hits:  # chosen before the answer came
            self._keep_hits(self._library.hits_at([number], self._query.text), [number])
        hit = self._hits.get(number)
        return hit.start_s if hit else None

    def recording_id(self, row: int) -> str | None:
        found = self.row(row)
        return found.recording.recording_id if found else None

    def row_of(self, recording_id: str) -> int | None:
        """Return where a recording stands in the list."""
        known = self._places_of({recording_id}).get(recording_id)
        if known is not None:
            return known
        number = self._library.number_of(recording_id)
        try:
            return None if number is None else self._numbers.index(number)
        except ValueError:
            return None

    def day_starts(self) -> list[int]:
        """Return the rows that begin a day, as far as known, in order."""
        return list(self._starts) if self.has_days else []

    def day(self, row: int) -> date | None:
        """Return the day of a row, as far as known."""
        return self._days.get(row)

    @property
    def pages_in_memory(self) -> int:
        return len(self._pages)

    # Asking

    def _ask(self) -> None:
        query, library, known = self._asked, self._library, self._numbers
        is_same = self._has_answer and query == self._query
        self._is_waiting = True
        if query.text.strip():
            if is_same:
                self._desk.ask("list", lambda: library.numbers(query), self._on_numbers)
            else:  # the first hits at once, then how many there are
                self._desk.ask("list", lambda: _first_hits(library, query), self._on_first_hits)
        elif is_same and self.has_days:
            self._desk.ask(
                "list", lambda: _numbers_if_changed(library, query, known), self._on_numbers
            )
        else:
            self._desk.ask("list", lambda: library.numbers(query), self._on_numbers)

    def _on_first_hits(self, found: "_FirstHits") -> None:
        numbers, hits = found
        self._show(numbers, hits, is_whole=len(numbers) < _HITS)
        if self._is_whole:
            self._on_answered()
        else:
            query, library = self._asked, self._library
            self._desk.ask("list", lambda: library.numbers(query), self._on_numbers)

    def _on_numbers(self, numbers: Sequence[int] | None) -> None:
        if numbers is not None:
            known = len(self._numbers)
            is_same = self._asked == self._query and self._has_answer
            if is_same and not self.search_text and numbers == self._numbers:
                self._is_whole = True
            elif is_same and not self._is_whole and numbers[:known] == self._numbers:
                self._is_whole = True
                if len(numbers) > known:
                    self.beginInsertRows(QModelIndex(), known, len(numbers) - 1)
                    self._numbers = numbers
                    self._pages.pop(known // PAGE, None)
                    self.endInsertRows()
                self.counted.emit()
            else:
                self._show(numbers, {}, is_whole=True)
        self._on_answered()

    def _on_failed(self, _error: object) -> None:
        self._is_waiting = self._is_stale = False  # the next change asks again

    def _on_answered(self) -> None:
        self._is_waiting = False
        if self._is_stale:
            self._is_stale = False
            self._ask()

    def _show(
        self, numbers: Sequence[int], hits: Mapping[int, SearchHit], *, is_whole: bool
    ) -> None:
        self._is_new = self._asked != self._query or not self._has_answer
        looked_at = [] if self._is_new else list(self._pages)[-_LOOKED_AT:]
        self.beginResetModel()
        self._old_hits, self._hits = ({} if self._is_new else dict(self._hits)), OrderedDict()
        self._query, self._has_answer = self._asked, True
        self._numbers, self._is_whole = numbers, is_whole
        self._keep_hits(hits, numbers)
        self._pages.clear()
        self._days.clear()
        self._starts.clear()
        self._read_around(looked_at)
        self.endResetModel()
        self._is_new = False
        self.days_changed.emit()

    def _ask_why(self, numbers: list[int]) -> None:
        """Ask where rows match; they are on the screen already."""
        query, library = self._query, self._library

        def keep(hits: Mapping[int, SearchHit]) -> None:
            if query == self._query:
                self._keep_hits(hits, numbers)
                self.dataChanged.emit(self.index(0), self.index(len(self._numbers) - 1))

        self._desk.ask("why", lambda: library.hits_at(numbers, query.text), keep)

    # Inside

    def _page(self, number: int) -> list[_Place]:
        page = self._pages.get(number)
        if page is None:
            page = self._read(number)
            self._pages[number] = page
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page

    def _read(self, page: int) -> list[_Place]:
        offset = page * PAGE
        lead = 1 if offset else 0  # the row before says whether this page begins a day
        numbers = self._numbers[offset - lead : offset + PAGE]
        found = self._library.recordings_at(numbers)
        if self.has_days:
            self._find_days(offset, lead, [found.get(number) for number in numbers])
        return [
            (number, Row(found[number]) if number in found else None) for number in numbers[lead:]
        ]

    def _find_days(self, offset: int, lead: int, found: list[Recording | None]) -> None:
        """Note which rows from `offset` on begin a day."""
        previous: date | None = None
        for place, recording in enumerate(found, offset - lead):
            if recording is None:
                continue
            day = day_of(recording.created_at)
            if place >= offset:
                if place not in self._days and day != previous:
                    insort(self._starts, place)
                self._days[place] = day
            previous = day
        self.days_changed.emit()

    def _keep_hits(self, hits: Mapping[int, SearchHit], asked: Sequence[int]) -> None:
        """Note why the rows `asked` fit; one that is gone fits no more and is not asked again."""
        if not self.search_text:
            return
        for number in asked:
            hit = hits.get(number)
            self._hits[number] = (
                Row(hit.recording, *_flat(hit.snippet), start_s=hit.start_s) if hit else None
            )
            self._hits.move_to_end(number)
        while len(self._hits) > _KEPT_HITS:
            self._hits.popitem(last=False)

    def _forget_rows(self) -> None:
        """Let rows be read again when they are next looked at."""
        self._pages.clear()
        if len(self._numbers):
            self.dataChanged.emit(self.index(0), self.index(len(self._numbers) - 1))

    def _read_again(self, places: dict[str, int]) -> None:
        found = self._library.recordings_at(self.numbers(places.values()))
        for place in places.values():
            number = self._numbers[place]
            if number in found:  # what is gone stands there until the list is known
                self._pages[place // PAGE][place % PAGE] = (number, Row(found[number]))
                self._tell_changed(place)

    def _places_of(self, ids: set[str]) -> dict[str, int]:
        return {
            row.recording.recording_id: number * PAGE + at
            for number, page in self._pages.items()
            for at, (_number, row) in enumerate(page)
            if row is not None and row.recording.recording_id in ids
        }

    def _read_around(self, numbers: Sequence[int]) -> None:
        """Read pages and the ones after them, where new rows may have pushed their rows."""
        for number in sorted({*numbers, *(number + 1 for number in numbers)}):
            if number * PAGE < len(self._numbers):
                self._page(number)

    def _tell_changed(self, place: int) -> None:
        index = self.index(place)
        self.dataChanged.emit(index, index)

    def _on_jobs_changed(self, recordings: frozenset[str]) -> None:
        for place in self._places_of(set(recordings)).values():
            self._tell_changed(place)


_ROLES = frozenset(
    {
        RowRole,
        int(Qt.ItemDataRole.DisplayRole),
        int(Qt.ItemDataRole.AccessibleTextRole),
    }
)


_FirstHits = tuple[Sequence[int], Mapping[int, SearchHit]]


def _first_hits(library: LibraryReader, query: ListQuery) -> _FirstHits:
    """Return the first rows of a search and why they fit. Thread: the desk's."""
    numbers = library.numbers(query, _HITS)
    return numbers, library.hits_at(numbers, query.text)


def _numbers_if_changed(
    library: LibraryReader, query: ListQuery, known: Sequence[int]
) -> Sequence[int] | None:
    """Return the list in the order of making; `None` while it holds what it did. Thread: desk."""
    if library.mark(query) == (len(known), sum(known)):
        return None
    return library.numbers(query)


def _flat(pieces: Sequence[Piece]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the snippet as one line and where in it the matches are."""
    text, matches = "", []
    for piece in pieces:
        line = piece.text.replace("\n", " ")
        if piece.is_match:
            matches.append((len(text), len(text) + len(line)))
        text += line
    return text, tuple(matches)
