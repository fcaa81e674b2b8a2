"""What the list is narrowed down to, as chips, and in which order it stands.

Keeps the person's choices over every place; what there is to choose is told from outside.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from app.config.translate import tr
from app.core.recording import RecordingKind, RecordingStatus
from app.library.listing import Overview
from app.library.search import ListQuery, Sort
from app.ui import theme
from app.ui.widgets.chip import Chip
from app.ui.widgets.flow import FlowLayout
from app.ui.widgets.labels import ElidedLabel
from app.ui.wording import kind_label, language_label

ModelTitle = Callable[[str | None], str]


class FilterBar(QWidget):
    """A line with the filter menu, what is shown, and the order; below it the chips."""

    changed = Signal()

    def __init__(
        self,
        model_title: ModelTitle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._overview = Overview()
        self._model_title = model_title
        self._filters: dict[str, tuple[object, str]] = {}
        self.sort = Sort.NEWEST
        self.is_ranked = False  # in a search, whatever the order of the list
        self.filter_button = self._tool("filter", tr("Filter the list"))
        self.filter_menu = QMenu(self)
        self.filter_menu.aboutToShow.connect(self._fill_menu)
        self.filter_button.setMenu(self.filter_menu)
        self.sort_button = self._tool("sort", tr("Order of the list"))
        self.sort_button.setMenu(self._make_sort_menu())
        self.summary = ElidedLabel("", self, color="secondary")
        line = QHBoxLayout()
        line.setContentsMargins(14, 4, 8, 0)
        line.setSpacing(2)
        line.addWidget(self.summary, 1)
        line.addWidget(self.filter_button)
        line.addWidget(self.sort_button)
        self.chips = QWidget(self)
        self._flow = FlowLayout(self.chips)
        self._flow.setContentsMargins(14, 4, 8, 6)
        self.chips.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.chips)

    def show_choices(self, overview: Overview) -> None:
        """Offer what there is to filter by, from when the menu is next opened."""
        self._overview = overview

    @property
    def is_filtering(self) -> bool:
        return bool(self._filters)

    def narrowed(self, query: ListQuery) -> ListQuery:
        """Return `query` with the chosen filters and order."""
        fields = {name: value for name, (value, _label) in self._filters.items()}
        is_ranked = self.is_ranked and bool(query.text.strip())
        return replace(query, sort=self.sort, ranked=is_ranked, **fields)  # type: ignore[arg-type]

    def set_filter(self, name: str, value: object, label: str = "") -> None:
        """Narrow the list down; `None` no longer does."""
        if value is None:
            self._filters.pop(name, None)
        else:
            self._filters[name] = (value, label)
        self._show_chips()
        self.changed.emit()

    def clear(self) -> None:
        """Take every filter away."""
        self._filters.clear()
        self._show_chips()
        self.changed.emit()

    def set_sort(self, sort: Sort) -> None:
        self.sort = sort
        self._sort_actions[sort].setChecked(True)
        self.changed.emit()

    def refresh_colors(self) -> None:
        self.summary.refresh_colors()
        for chip in self.findChildren(Chip):
            chip.update()

    # The menus

    def _fill_menu(self) -> None:
        menu = self.filter_menu
        menu.clear()
        kinds = [(str(kind), kind_label(kind)) for kind in RecordingKind]
        self._add_choices(menu, "kind", tr("Kind"), kinds, RecordingKind)
        states = [
            (str(RecordingStatus.PENDING), tr("Waiting")),
            (str(RecordingStatus.WORKING), tr("Being transcribed")),
            (str(RecordingStatus.DONE), tr("Transcribed")),
            (str(RecordingStatus.FAILED), tr("Failed")),
            (str(RecordingStatus.CANCELLED), tr("Cancelled")),
            (str(RecordingStatus.EMPTY), tr("No speech found")),
        ]
        self._add_choices(menu, "status", tr("Status"), states, RecordingStatus)
        self._add_dates(menu)
        there = self._overview
        for name, title, values, label in (
            ("language", tr("Language"), there.languages, language_label),
            ("model_id", tr("Model"), there.model_ids, self._model_title),
            ("app_name", tr("Dictated into"), there.app_names, str),
        ):
            choices = [(value, label(value)) for value in values]
            self._add_choices(menu, name, title, choices, str)
        tags = [(tag.name, tag.name) for tag in there.tags]
        self._add_choices(menu, "tag", tr("Tag"), tags, str)
        menu.addSeparator()
        self._add_switch(menu, "is_favourite", tr("Favourites"))
        self._add_switch(menu, "is_doubtful", tr("With doubtful words"))
        if self._filters:
            menu.addSeparator()
            menu.addAction(tr("Remove All Filters")).triggered.connect(lambda: self.clear())

    def _add_choices(
        self,
        menu: QMenu,
        name: str,
        title: str,
        choices: list[tuple[str, str]],
        make: Callable[[str], object],
    ) -> None:
        if not choices:
            return
        part = menu.addMenu(title)
        chosen = self._filters.get(name, (None, ""))[0]
        for value, label in choices:
            action = part.addAction(label.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(chosen == make(value))
            action.triggered.connect(
                lambda on, value=value, label=label: self.set_filter(
                    name, make(value) if on else None, f"{title}: {label}"
                )
            )

    def _add_dates(self, menu: QMenu) -> None:
        part = menu.addMenu(tr("Date"))
        today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        chosen = self._filters.get("since", (None, ""))[0]
        for since, label in (
            (today, tr("Today")),
            (today - timedelta(days=6), tr("Last 7 days")),
            (today - timedelta(days=29), tr("Last 30 days")),
            (today.replace(month=1, day=1), tr("This year")),
        ):
            action = part.addAction(label)
            action.setCheckable(True)
            at = since.timestamp()
            action.setChecked(chosen == at)
            action.triggered.connect(
                lambda on, at=at, label=label: self.set_filter("since", at if on else None, label)
            )

    def _add_switch(self, menu: QMenu, name: str, title: str) -> None:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(name in self._filters)
        action.triggered.connect(lambda on: self.set_filter(name, True if on else None, title))

    def _make_sort_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(self)
        self._sort_actions: dict[Sort, QAction] = {}
        for sort, title in (
            (Sort.NEWEST, tr("Newest First")),
            (Sort.OLDEST, tr("Oldest First")),
            (Sort.TITLE, tr("By Title")),
            (Sort.LONGEST, tr("Longest First")),
            (Sort.EDITED, tr("Last Edited First")),
        ):
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(sort is self.sort)
            group.addAction(action)
            action.triggered.connect(lambda _on, sort=sort: self.set_sort(sort))
            self._sort_actions[sort] = action
        menu.addSeparator()
        self.rank_action = menu.addAction(tr("Best Matches First in a Search"))
        self.rank_action.setCheckable(True)
        self.rank_action.triggered.connect(self._on_ranked)
        return menu

    def _on_ranked(self, is_ranked: bool) -> None:
        self.is_ranked = is_ranked
        self.changed.emit()

    def _show_chips(self) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for name, (_value, label) in self._filters.items():
            chip = Chip(label, tr("Remove the filter “{filter}”", filter=label), self.chips)
            chip.clicked.connect(lambda _on=False, name=name: self.set_filter(name, None))
            self._flow.addWidget(chip)
            chip.show()
        self.chips.setVisible(bool(self._filters))

    def _tool(self, icon: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(theme.TARGET, theme.TARGET)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.set_icon(button, icon)
        return button
