"""The middle of the window: the list, or why there is nothing in it."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.config.translate import tr, tr_plural
from app.core.errors import mark
from app.library.search import ListQuery
from app.ui import theme
from app.ui.job_board import JobBoard
from app.ui.library.delegate import RowDelegate
from app.ui.library.filters import FilterBar, ModelTitle
from app.ui.library.model import RecordingModel
from app.ui.library.view import RecordingList
from app.ui.ports import Desk, FindMatches, LibraryReader
from app.ui.widgets.empty_state import EmptyState


class LibraryPane(QWidget):
    """Shows a place of the library or the results of a search."""

    selection_changed = Signal()
    clear_search_requested = Signal()

    def __init__(
        self,
        library: LibraryReader,
        desk: Desk,
        board: JobBoard,
        find_matches: FindMatches,
        model_title: ModelTitle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._asked = ListQuery()  # by the place and the search field, without the filters
        self._library = library
        self._desk = desk
        self.model = RecordingModel(library, desk, board, self)
        self._delegate = RowDelegate(board, find_matches, self)
        self.list = RecordingList(self.model, self._delegate, self)
        self.filters = FilterBar(model_title, self)
        self.filters.changed.connect(self._on_filters_changed)
        self.results = self.filters.summary
        self.empty = EmptyState(self)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.filters)
        column.addWidget(self._stack, 1)
        self.setMinimumWidth(210)
        self.setAutoFillBackground(True)
        self._tell_later = QTimer(self)
        self._tell_later.setSingleShot(True)
        self._tell_later.setInterval(0)
        self._tell_later.timeout.connect(self.selection_changed)
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._tell_later.start())
        self._next_row: int | None = None
        self._asked_for = 0
        self._to_select: set[str] = set()
        self._kept: _Kept | None = None
        self.model.modelAboutToBeReset.connect(self._keep_selection)
        self.model.modelReset.connect(self._select_again)
        self.model.modelReset.connect(self._render)
        self.model.counted.connect(self._render)
        self.refresh_colors()

    # What is shown

    def show_query(self, query: ListQuery, select: str | None = None) -> None:
        """Show a place, or what matches in it, narrowed down by the filters.

        `select` is chosen in it when it is there.
        """
        self._asked = query
        self._to_select = {select} if select else set()
        self.model.show_query(self.filters.narrowed(query))

    def selected_ids(self) -> list[str]:
        """Return the selected recordings, in the order of the list; of many, the first ones."""
        rows = self._selected_rows()[:FEW]
        return [found for row in rows if (found := self.model.recording_id(row)) is not None]

    def with_selected(self, use: Callable[[list[str]], object]) -> None:
        """Call `use` with all selected recordings; of many, as soon as the library named them."""
        rows = self._selected_rows()
        if len(rows) <= FEW:
            use(self.selected_ids())
            return
        numbers, library = self.model.numbers(rows), self._library
        self._asked_for += 1  # each is answered: whoever asks does something with it
        self._desk.ask(f"selected {self._asked_for}", lambda: list(library.ids_at(numbers)), use)

    def _selected_rows(self) -> list[int]:
        selection = self.list.selectionModel().selection()
        ranges = (selection.at(at) for at in range(selection.size()))
        return sorted(row for part in ranges for row in range(part.top(), part.bottom() + 1))

    def selected_count(self) -> int:
        """Return how many recordings are selected."""
        selection = self.list.selectionModel().selection()
        return sum(selection.at(at).height() for at in range(selection.size()))

    def first_selected_row(self) -> int:
        """Return the topmost selected row; 0 when there is none."""
        selection = self.list.selectionModel().selection()
        return min((selection.at(at).top() for at in range(selection.size())), default=0)

    def selected_start_s(self) -> float | None:
        """Return where in the selected recording the search matches."""
        index = self.list.currentIndex()
        return self.model.start_s(index.row()) if index.isValid() else None

    def select(self, ids: set[str]) -> bool:
        """Select recordings of the list; whether there was one."""
        rows = sorted(row for found in ids if (row := self.model.row_of(found)) is not None)
        return self._select_rows(rows)

    def select_row(self, row: int) -> None:
        """Select one row, or the nearest there is."""
        if self.model.rowCount():
            index = self.model.index(min(max(row, 0), self.model.rowCount() - 1))
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(index, flag)

    def select_row_later(self, row: int) -> None:
        """Select `row` when the list has next changed, or the nearest there is then."""
        self._next_row = row

    def refresh_colors(self) -> None:
        self.filters.refresh_colors()
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("base"))
        self.setPalette(palette)
        self.empty.refresh_colors()
        self.list.viewport().update()

    # A list that was read again

    def _keep_selection(self) -> None:
        """Note what is selected: resetting the list forgets it."""
        if self.model.is_new:
            self._kept = None
            return
        rows = self._selected_rows()
        is_all = len(rows) == self.model.rowCount() > FEW
        numbers = frozenset() if is_all else frozenset(self.model.numbers(rows))
        top, above = self.list.place()
        anchor = self.model.numbers(range(top, top + FEW)) if (top, above) != (0, 0) else []
        self._kept = _Kept(numbers, is_all, tuple(anchor), above)

    def _select_again(self) -> None:
        kept, self._kept = self._kept, None
        if kept is None:
            self._delegate.query = self.model.query.text
            self.list.scrollToTop()
            self.select(self._to_select)
            return
        if kept.is_all:
            self.list.selectAll()
        rows = self.model.rows_of_numbers(kept.numbers) if kept.numbers else []
        self._select_rows(rows)
        self._scroll_back(kept)
        if kept.numbers and not rows and self._next_row is not None:
            row, self._next_row = self._next_row, None
            self.select_row(row)

    def _scroll_back(self, kept: "_Kept") -> None:
        """Show again what was shown; at the top of the list what is new there."""
        if not kept.anchor:
            self.list.scrollToTop()
            return
        there = self.model.rows_of_numbers(kept.anchor)
        if there:
            self.list.go_to_place(there[0], kept.above)

    def _select_rows(self, rows: list[int]) -> bool:
        """Select rows, in order; whether there was one."""
        if not rows:
            return False
        selection, ranges = self.list.selectionModel(), QItemSelection()
        first = last = rows[0]
        for row in (*rows[1:], -1):
            if row != last + 1:
                ranges.select(self.model.index(first), self.model.index(last))
                first = row
            last = row
        flag = QItemSelectionModel.SelectionFlag
        selection.setCurrentIndex(self.model.index(rows[0]), flag.NoUpdate)
        selection.select(ranges, flag.ClearAndSelect)
        return True

    # Rendering

    def _render(self) -> None:
        count = self.model.rowCount()
        self.results.setText(self._summary(count))
        if count:
            self._stack.setCurrentWidget(self.list)
            return
        text = self.model.search_text
        if text:
            self.empty.show_state(
                tr("Nothing found"),
                [tr("No title, note or transcript contains “{text}”.", text=text[:60])],
                icon="search",
                actions=[(tr("Clear Search"), self.clear_search_requested.emit)],
            )
        elif self.filters.is_filtering:
            self.empty.show_state(
                tr("Nothing fits these filters"),
                icon="filter",
                actions=[(tr("Remove All Filters"), self.filters.clear)],
            )
        else:
            title, line, icon = _EMPTY.get(self._place_of(), _NOTHING)
            self.empty.show_state(tr(title), [tr(line)] if line else [], icon=icon)
        self._stack.setCurrentWidget(self.empty)

    def _summary(self, count: int) -> str:
        """Return how much is shown."""
        if not self.model.search_text:
            return tr_plural("{count} recording", "{count} recordings", count) if count else ""
        if count and not self.model.is_whole:
            return tr("More than {count} results", count=count)
        return tr_plural("{count} result", "{count} results", count) if count else ""

    def _place_of(self) -> str:
        query = self._asked
        if query.is_binned:
            return "bin"
        if query.is_favourite:
            return "favourites"
        return str(query.kind or ("folder" if query.folder_id else ""))

    def _on_filters_changed(self) -> None:
        self._to_select = set()
        self.model.show_query(self.filters.narrowed(self._asked))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was selected and what stood at the upper edge, by the library's numbers."""

    numbers: frozenset[int]
    is_all: bool
    anchor: tuple[int, ...]  # none when the list was not scrolled
    above: int  # px of the first of them


FEW = 100  # selected recordings whose ids are read at once
_NOTHING = (mark("Nothing here"), "", "file")
_EMPTY = {
    "bin": (
        mark("The bin is empty"),
        mark("What you remove stays here until you empty the bin."),
        "remove",
    ),
    "favourites": (
        mark("No favourites yet"),
        mark("Mark a recording with the star beside its title."),
        "star",
    ),
    "folder": (
        mark("This folder is empty"),
        mark("Drag recordings from the list onto its name."),
        "folder",
    ),
    "dictation": (mark("No dictations yet"), "", "dictation"),
    "quick": (mark("No quick records yet"), "", "microphone"),
}
