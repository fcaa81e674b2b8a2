"""The list of recordings, read a page at a time.

Only pages that were looked at are in memory, and only the last few dozen of those; a hundred
thousand recordings cost no more than a hundred.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from app.library.search import ListQuery, Piece, Sort
from app.ui.job_board import JobBoard
from app.ui.ports import LibraryReader
from app.ui.wording import day_of, spoken_row, title_of

PAGE = 100  # rows read at once
_KEPT_PAGES = 100
_HITS = 50  # search hits read at once; each is looked for in its text
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


class RecordingModel(QAbstractListModel):
    """Rows of one `ListQuery`."""

    days_changed = Signal()  # which rows begin a day is known better now

    def __init__(
        self, library: LibraryReader, board: JobBoard, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._board = board
        self._query = ListQuery()
        self._total = 0
        self._hits: list[Row] = []
        self._hits_taken = 0
        self._may_have_more = False
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._days: dict[int, date] = {}
        self._starts: list[int] = []
        board.changed.connect(self._on_jobs_changed)

    # What is shown

    @property
    def query(self) -> ListQuery:
        return self._query

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
        """Show the recordings of `query`; with a text those that match, each with its place."""
        self._query = query
        self._pages.clear()
        self.reload()

    def reload(self) -> None:
        """Read everything again: of the list, the pages that were just looked at."""
        looked_at = list(self._pages)[-_LOOKED_AT:]
        self.beginResetModel()
        self._pages.clear()
        self._days.clear()
        self._starts.clear()
        self._hits, self._hits_taken, self._may_have_more = [], 0, False
        if self.search_text:
            self._hits = self._take_hits()
        else:
            self._total = self._library.count(self._query)
            self._read_around(looked_at)
        self.endResetModel()
        self.days_changed.emit()

    def refresh(self, ids: Iterable[str]) -> None:
        """Read the recordings `ids` again, and everything if some came or went.

        Names of other things among `ids` (jobs) and recordings that are not in memory cost nothing.
        """
        ids = set(ids)
        is_plain = self._query == ListQuery()
        if not is_plain or not ids or len(ids) > _FEW or self._recount():
            self.reload()
            return
        places = self._places_of(ids)
        found = {name: self._library.recording(name) for name in places}
        if any(each is None or each.deleted_at is not None for each in found.values()):
            self.reload()
            return
        for name, place in places.items():
            recording = found[name]
            if recording is not None:
                self._pages[place // PAGE][place % PAGE] = Row(recording)
                self._tell_changed(place)

    def ids(self, rows: Sequence[int]) -> list[str]:
        """Return the recordings of `rows`; of many, without reading their pages."""
        if self.search_text or len(rows) <= PAGE:
            return [found for row in rows if (found := self.recording_id(row)) is not None]
        every = self._library.ids(self._query)
        return [every[row] for row in rows if row < len(every)]

    # QAbstractListModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        if parent.isValid():
            return 0
        return len(self._hits) if self.search_text else self._total

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

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self._may_have_more

    def fetchMore(self, parent: Index) -> None:
        if not self.canFetchMore(parent):
            return
        rows = self._take_hits()
        if rows:
            self.beginInsertRows(QModelIndex(), len(self._hits), len(self._hits) + len(rows) - 1)
            self._hits += rows
            self.endInsertRows()

    # Rows and days, as the view asks for them

    def row(self, row: int) -> Row | None:
        """Return a row; `None` when the library has become shorter meanwhile."""
        if not 0 <= row < self.rowCount():
            return None
        if self.search_text:
            return self._hits[row]
        page = self._page(row // PAGE)
        at = row % PAGE
        return page[at] if at < len(page) else None

    def ensure(self, first: int, last: int) -> None:
        """Read the pages of the rows `first` … `last`."""
        if self.search_text or self.rowCount() == 0:
            return
        first, last = max(0, first), min(last, self.rowCount() - 1)
        for page in range(first // PAGE, last // PAGE + 1):
            self._page(page)

    def recording_id(self, row: int) -> str | None:
        found = self.row(row)
        return found.recording.recording_id if found else None

    def row_of(self, recording_id: str) -> int | None:
        """Return where a recording is, if its page is in memory."""
        return self._places_of({recording_id}).get(recording_id)

    def day_starts(self) -> list[int]:
        """Return the rows that begin a day, as far as known, in order."""
        return list(self._starts) if self.has_days else []

    def day(self, row: int) -> date | None:
        """Return the day of a row, as far as known."""
        return self._days.get(row)

    @property
    def pages_in_memory(self) -> int:
        return len(self._pages)

    # Inside

    def _page(self, number: int) -> list[Row]:
        page = self._pages.get(number)
        if page is None:
            page = self._read(number)
            self._pages[number] = page
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(number)
        return page

    def _read(self, number: int) -> list[Row]:
        offset = number * PAGE
        lead = 1 if offset else 0  # the row before says whether this page begins a day
        found = list(self._library.recordings(self._query, offset - lead, PAGE + lead))
        previous = day_of(found[0].created_at) if lead and found else None
        for place, recording in enumerate(found[lead:], offset):
            day = day_of(recording.created_at)
            if place not in self._days and day != previous:
                insort(self._starts, place)
            self._days[place] = day
            previous = day
        self.days_changed.emit()
        return [Row(recording) for recording in found[lead:]]

    def _take_hits(self) -> list[Row]:
        hits = self._library.search(self._query, self._hits_taken, _HITS)
        self._hits_taken += len(hits)
        self._may_have_more = len(hits) == _HITS
        return [Row(hit.recording, *_flat(hit.snippet), start_s=hit.start_s) for hit in hits]

    def _recount(self) -> bool:
        return self._library.count(self._query) != self._total

    def _places_of(self, ids: set[str]) -> dict[str, int]:
        if self.search_text:
            rows = enumerate(self._hits)
            return {
                row.recording.recording_id: at
                for at, row in rows
                if row.recording.recording_id in ids
            }
        return {
            row.recording.recording_id: number * PAGE + at
            for number, page in self._pages.items()
            for at, row in enumerate(page)
            if row.recording.recording_id in ids
        }

    def _read_around(self, numbers: Sequence[int]) -> None:
        """Read pages and the ones after them, where new rows may have pushed their rows."""
        for number in sorted({*numbers, *(number + 1 for number in numbers)}):
            if number * PAGE < self._total:
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


def _flat(pieces: Sequence[Piece]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the snippet as one line and where in it the matches are."""
    text, matches = "", []
    for piece in pieces:
        line = piece.text.replace("\n", " ")
        if piece.is_match:
            matches.append((len(text), len(text) + len(line)))
        text += line
    return text, tuple(matches)
