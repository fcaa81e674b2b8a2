"""The list of recordings, read a page at a time.

Rows are numbered as they are seen: recordings whose removal can still be undone are left out.
Only pages that were looked at are in memory, and only the last few dozen of those.
"""

from bisect import bisect_left, insort
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
from app.library.search import ListQuery, Piece
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
    """Rows of one `ListQuery`, or of a search."""

    days_changed = Signal()  # which rows begin a day is known better now

    def __init__(
        self, library: LibraryReader, board: JobBoard, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._board = board
        self._query = ListQuery()
        self._search = ""
        self._total = 0
        self._hits: list[Row] = []
        self._hits_taken = 0
        self._may_have_more = False
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._days: dict[int, date] = {}
        self._starts: list[int] = []  # as stored, hidden rows counted
        self._hidden_ids: set[str] = set()
        self._hidden: list[int] = []  # as stored
        board.changed.connect(self._on_jobs_changed)

    # What is shown

    @property
    def query(self) -> ListQuery:
        return self._query

    @property
    def search_text(self) -> str:
        return self._search

    def show_query(self, query: ListQuery) -> None:
        """Show the recordings of `query`."""
        self._query, self._search = query, ""
        self._pages.clear()
        self.reload()

    def show_search(self, text: str) -> None:
        """Show what matches `text`."""
        self._search = text
        self.reload()

    def reload(self) -> None:
        """Read everything again: of the list, the pages that were just looked at."""
        looked_at = list(self._pages)[-_LOOKED_AT:]
        places = [number * PAGE for number in looked_at] + self._hidden
        if self._hidden_ids:
            places.append(0)
        self.beginResetModel()
        self._pages.clear()
        self._days.clear()
        self._starts.clear()
        self._hidden = []
        self._hits, self._hits_taken, self._may_have_more = [], 0, False
        if self._search:
            self._hits = self._take_hits()
        else:
            self._total = self._library.count(self._query)
            self._read_around(places)
            self._hidden = sorted(self._places_of(self._hidden_ids).values())
        self.endResetModel()
        self.days_changed.emit()

    def refresh(self, ids: Iterable[str]) -> None:
        """Read the recordings `ids` again, and everything if some came or went.

        Names of other things among `ids` (jobs) and recordings that are not in memory cost nothing.
        """
        ids = set(ids) - self._hidden_ids
        if self._search or not ids or len(ids) > _FEW or self._recount():
            self.reload()
            return
        places = self._places_of(ids)
        found = {name: self._library.recording(name) for name in ids}
        is_filtered = self._query != ListQuery()
        for name, recording in found.items():
            fits = recording is not None and self._fits(recording)
            if (name in places and not fits) or (is_filtered and name not in places and fits):
                self.reload()
                return
        for name, stored in places.items():
            recording = found[name]
            if recording is not None:
                self._pages[stored // PAGE][stored % PAGE] = Row(recording)
                self._tell_changed(stored)

    # Rows whose removal can still be undone

    def hide(self, ids: Iterable[str]) -> None:
        """Leave recordings out."""
        new = set(ids) - self._hidden_ids
        if self._search:
            self._hidden_ids |= new
            self.reload()
            return
        for recording_id, stored in sorted(self._places_of(new).items(), key=lambda item: item[1]):
            row = self._seen(stored)
            self.beginRemoveRows(QModelIndex(), row, row)
            insort(self._hidden, stored)
            self._hidden_ids.add(recording_id)
            self.endRemoveRows()
        self._hidden_ids |= new
        self.days_changed.emit()

    def unhide(self, ids: Iterable[str]) -> None:
        """Show recordings again."""
        self._hidden_ids -= set(ids)
        self.reload()

    def is_hidden(self, recording_id: str) -> bool:
        return recording_id in self._hidden_ids

    # QAbstractListModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        if parent.isValid():
            return 0
        return len(self._hits) if self._search else self._total - len(self._hidden)

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
        if self._search:
            return self._hits[row]
        stored = self._stored(row)
        page = self._page(stored // PAGE)
        at = stored % PAGE
        return page[at] if at < len(page) else None

    def ensure(self, first: int, last: int) -> None:
        """Read the pages of the rows `first` … `last`."""
        if self._search or self.rowCount() == 0:
            return
        first, last = max(0, first), min(last, self.rowCount() - 1)
        for page in range(self._stored(first) // PAGE, self._stored(last) // PAGE + 1):
            self._page(page)

    def recording_id(self, row: int) -> str | None:
        found = self.row(row)
        return found.recording.recording_id if found else None

    def row_of(self, recording_id: str) -> int | None:
        """Return where a recording is, if its page is in memory."""
        place = self._places_of({recording_id}).get(recording_id)
        return None if place is None else self._seen(place)

    def day_starts(self) -> list[int]:
        """Return the rows that begin a day, as far as known, in order."""
        if not self._hidden:
            return list(self._starts)
        hidden = set(self._hidden)
        found: list[int] = []
        for start in self._starts:
            stored = start
            while stored in hidden:
                stored += 1
            if stored < self._total and self._days.get(stored) == self._days.get(start):
                found.append(self._seen(stored))
        return found

    def day(self, row: int) -> date | None:
        """Return the day of a row, as far as known."""
        return self._days.get(self._stored(row))

    @property
    def pages_in_memory(self) -> int:
        return len(self._pages)

    # Inside

    def _stored(self, row: int) -> int:
        for hidden in self._hidden:
            if hidden > row:
                break
            row += 1
        return row

    def _seen(self, stored: int) -> int:
        return stored - bisect_left(self._hidden, stored)

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
        for stored, recording in enumerate(found[lead:], offset):
            day = day_of(recording.created_at)
            if stored not in self._days and day != previous:
                insort(self._starts, stored)
            self._days[stored] = day
            previous = day
        self.days_changed.emit()
        return [Row(recording) for recording in found[lead:]]

    def _take_hits(self) -> list[Row]:
        query = ListQuery(text=self._search)
        hits = self._library.search(query, self._hits_taken, _HITS)
        self._hits_taken += len(hits)
        self._may_have_more = len(hits) == _HITS
        return [
            Row(hit.recording, *_flat(hit.snippet), start_s=hit.start_s)
            for hit in hits
            if hit.recording.recording_id not in self._hidden_ids
        ]

    def _recount(self) -> bool:
        return self._library.count(self._query) != self._total

    def _fits(self, recording: Recording) -> bool:
        query = self._query
        return query.kind in (None, recording.kind) and query.status in (None, recording.status)

    def _places_of(self, ids: set[str]) -> dict[str, int]:
        if self._search:
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

    def _read_around(self, places: Sequence[int]) -> None:
        """Read the pages of `places` and the next ones, where new rows may have pushed them."""
        numbers = {place // PAGE for place in places}
        for number in sorted(numbers | {number + 1 for number in numbers}):
            if number * PAGE < self._total:
                self._page(number)

    def _tell_changed(self, stored: int) -> None:
        index = self.index(self._seen(stored))
        self.dataChanged.emit(index, index)

    def _on_jobs_changed(self, recordings: frozenset[str]) -> None:
        places = self._places_of(set(recordings) - self._hidden_ids)
        for stored in places.values():
            self._tell_changed(stored)


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
