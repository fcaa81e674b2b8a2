"""The main window's toolbar: record, import, model, language, export, search.

Choices are told at once as settings; nothing is kept here.
"""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QToolBar,
    QToolButton,
    QWidget,
)

from app.config.settings import Settings
from app.config.translate import tr
from app.core.language import AUTO, CODES, language_name
from app.ui import theme
from app.ui.ports import ModelChoice
from app.ui.wording import key_name

_TYPING_MS = 150  # a search starts when typing pauses this long


class SearchField(QLineEdit):
    """Searches as you type; Escape empties it."""

    search_changed = Signal(str)
    leave_requested = Signal()  # arrow down: into the results

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(tr("Search"))
        self.setAccessibleName(tr("Search all recordings"))
        self.setClearButtonEnabled(True)
        self.setAcceptDrops(False)
        self.setMinimumWidth(120)
        self.setMaximumWidth(260)
        self._glass = QAction(self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TYPING_MS)
        self._timer.timeout.connect(self._tell)
        self.textChanged.connect(self._on_text_changed)
        self.refresh_colors()

    @property
    def query(self) -> str:
        return self.text().strip()

    def search(self, text: str) -> None:
        """Search for `text` now."""
        self.setText(text)
        self._timer.stop()
        self._tell()

    def forget(self) -> None:
        """Become empty without telling."""
        self.blockSignals(True)
        self.clear()
        self.blockSignals(False)
        self._timer.stop()

    def refresh_colors(self) -> None:
        tint = theme.color("secondary").name()
        self._glass.setIcon(theme.pixmap("search", tint))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.search("")
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._timer.isActive():
                self.search(self.text())
            self.leave_requested.emit()
        else:
            super().keyPressEvent(event)

    def _on_text_changed(self, text: str) -> None:
        if text:
            self._timer.start()
        else:
            self._timer.stop()
            self._tell()

    def _tell(self) -> None:
        self.search_changed.emit(self.query)


class MainToolbar(QToolBar):
    """What is always at hand."""

    record_requested = Signal()
    import_requested = Signal()
    export_requested = Signal()
    model_chosen = Signal(str)
    language_chosen = Signal(str)

    def __init__(
        self, models: Sequence[ModelChoice], settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(tr("Toolbar"), parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(theme.ICON, theme.ICON))
        # One row of our own: a toolbar resets the margins of its own layout at every polish.
        holder = QWidget(self)
        self._row = QHBoxLayout(holder)
        self._row.setContentsMargins(4, 2, 6, 2)
        self._row.setSpacing(6)
        self.addWidget(holder)
        self._models = list(models)
        self.record_button = self._button("record", tr("Record"), _record_tip())
        theme.set_icon(self.record_button, "record", "error")
        self.record_button.clicked.connect(lambda: self.record_requested.emit())
        open_key, export_key = key_name(QKeySequence.StandardKey.Open), key_name("Ctrl+E")
        self.import_button = self._button(
            "import",
            tr("Import"),
            tr("Import files ({key})", key=open_key),
        )
        self.import_button.clicked.connect(lambda: self.import_requested.emit())
        self.model_box = self._box(tr("Model"), tr("The model for new transcriptions"))
        self.language_box = self._box(tr("Spoken language"), tr("The language that is spoken"))
        self._fill_models(settings.model_id)
        self._fill_languages(settings.language)
        self.model_box.activated.connect(self._on_model_chosen)
        self.language_box.activated.connect(
            lambda _at: self.language_chosen.emit(str(self.language_box.currentData()))
        )
        self._row.addStretch(1)
        self.export_button = self._button(
            "export", tr("Export"), tr("Export transcripts ({key})", key=export_key)
        )
        self.export_button.clicked.connect(lambda: self.export_requested.emit())
        self.search_field = SearchField(self)
        self._row.addWidget(self.search_field, 1)

    @property
    def model_id(self) -> str:
        """The chosen model; `auto` for the best on this computer."""
        return str(self.model_box.currentData())

    @property
    def language(self) -> str:
        return str(self.language_box.currentData())

    def set_models(self, models: Sequence[ModelChoice], chosen: str) -> None:
        """Offer other models: some were installed or deleted."""
        self._models = list(models)
        self.model_box.clear()
        self.model_box.setEnabled(True)
        self._fill_models(chosen)
        self._fill_languages(self.language)

    def set_recording(self, is_recording: bool) -> None:
        """Let the first button stop what runs, or start."""
        text = tr("Stop") if is_recording else tr("Record")
        if self.record_button.text() != text:
            self.record_button.setText(text)
            self.record_button.setAccessibleName(text)
            self.record_button.setToolTip(_stop_tip() if is_recording else _record_tip())
            theme.set_icon(self.record_button, "stop" if is_recording else "record", "error")

    def show_settings(self, settings: Settings) -> None:
        """Show model and language as they are chosen now: they may be changed elsewhere."""
        at = self.model_box.findData(settings.model_id)
        if at >= 0 and at != self.model_box.currentIndex():
            self.model_box.setCurrentIndex(at)
            self._fill_languages(settings.language)
        self.language_box.setCurrentIndex(max(0, self.language_box.findData(settings.language)))

    def set_writable(self, is_writable: bool) -> None:
        """Whether something can be added to the library."""
        buttons = (self.record_button, self.import_button)
        for widget in (*buttons, self.model_box, self.language_box):
            widget.setEnabled(is_writable)

    def refresh_colors(self) -> None:
        self.search_field.refresh_colors()

    def _button(self, icon: str, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setMinimumHeight(theme.TARGET)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.set_icon(button, icon)
        self._row.addWidget(button)
        return button

    def _box(self, name: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setMinimumHeight(theme.TARGET)
        box.setMaximumWidth(232)
        box.setMaxVisibleItems(20)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._row.addWidget(box)
        return box

    def _fill_models(self, chosen: str) -> None:
        if len(self._models) > 1:
            self.model_box.addItem(tr("Best model"), AUTO)
        for model in self._models:
            self.model_box.addItem(model.title, model.model_id)
            if model.note:
                at = self.model_box.count() - 1
                self.model_box.setItemData(
                    at, model.note, int(Qt.ItemDataRole.AccessibleDescriptionRole)
                )
        if not self._models:
            self.model_box.addItem(tr("No model"), AUTO)
            self.model_box.setEnabled(False)
        self.model_box.setCurrentIndex(max(0, self.model_box.findData(chosen)))

    def _fill_languages(self, chosen: str) -> None:
        self.language_box.clear()
        self.language_box.addItem(tr("Any language"), AUTO)
        known = self._known_languages()
        for name, code in sorted((tr(language_name(code)), code) for code in known):
            self.language_box.addItem(name, code)
        self.language_box.setCurrentIndex(max(0, self.language_box.findData(chosen)))

    def _known_languages(self) -> Sequence[str]:
        by_id = {model.model_id: model for model in self._models}
        model = by_id.get(self.model_id)
        if model is None and len(self._models) == 1:
            model = self._models[0]
        return model.languages if model is not None and model.languages else CODES

    def _on_model_chosen(self, _at: int) -> None:
        self.model_chosen.emit(self.model_id)
        before = self.language
        self._fill_languages(before)
        if self.language != before:
            self.language_chosen.emit(self.language)


def _record_tip() -> str:
    return tr("Record from the microphone ({key})", key=key_name("Ctrl+N"))


def _stop_tip() -> str:
    return tr("Stop recording ({key})", key=key_name("Ctrl+N"))
