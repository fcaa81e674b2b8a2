"""The last step: a model, with what it is good for, how much it takes and what is free."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.config.translate import tr, tr_phrase
from app.core.errors import AppError
from app.ui import theme
from app.ui.onboarding.ports import MeetingPorts, ModelOffer
from app.ui.onboarding.steps import Step
from app.ui.widgets.labels import PlainLabel, QuietLabel
from app.ui.widgets.progress import ThinProgress
from app.ui.wording import percent

_SPARE = 1.1  # of a download, that must be free
_GB = 1_000_000_000
_INDENT = 24


def size_text(count: int) -> str:
    """Return a number of bytes as `1.6 GB` or `82 MB`."""
    if count >= 10 * _GB:
        return tr("{size} GB", size=round(count / _GB))
    if count >= _GB:
        return tr("{size} GB", size=f"{count / _GB:.1f}")
    return tr("{size} MB", size=max(1, round(count / 1_000_000)))


class OfferRow(QWidget):
    """One model: a radio button, a line about it, and its progress on the way here."""

    def __init__(self, offer: ModelOffer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer = offer
        self.button = QRadioButton(offer.title, self)
        self.badge = PlainLabel(tr("Recommended"), self)
        self.badge.setFont(theme.font(0.85, is_bold=True))
        self.note_label = QuietLabel("", self, wraps=True)
        self.facts_label = QuietLabel("", self, wraps=True)
        self.progress = ThinProgress(tr("Download of {title}", title=offer.title), self)
        self.progress.setRange(0, 1000)
        head = QHBoxLayout()
        head.setSpacing(theme.SPACE)
        head.addWidget(self.button)
        head.addWidget(self.badge)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 0, 8, 0)
        column.setSpacing(2)
        column.addLayout(head)
        for widget in (self.note_label, self.facts_label, self.progress):
            line = QHBoxLayout()
            line.setContentsMargins(_INDENT, 0, 0, 0)
            line.addWidget(widget)
            column.addLayout(line)
        self.show_offer(offer, free_bytes=0)

    def show_offer(self, offer: ModelOffer, free_bytes: int) -> None:
        """Show how the model stands now."""
        self.offer = offer
        self.badge.setVisible(offer.is_recommended)
        self.note_label.setText(tr(offer.note) if offer.note else "")
        self.note_label.setVisible(bool(offer.note))
        self.facts_label.setText(facts_of(offer))
        self.facts_label.set_color("error" if offer.problem is not None else "secondary")
        has_room = offer.is_installed or free_bytes >= offer.download_bytes * _SPARE
        self.button.setEnabled(offer.fits and (has_room or offer.is_on_its_way))
        if offer.fits and not has_room and not offer.is_on_its_way:
            self.facts_label.setText(
                tr("Needs {size} of free disk space.", size=size_text(offer.download_bytes))
            )
        self.button.setAccessibleDescription(f"{self.note_label.text()} {self.facts_label.text()}")
        self.progress.setVisible(offer.is_on_its_way)
        if offer.is_on_its_way:
            self.progress.setRange(0, 1000 if offer.fraction is not None else 0)
            self.progress.setValue(round((offer.fraction or 0.0) * 1000))

    def refresh_colors(self) -> None:
        palette = self.badge.palette()
        palette.setColor(self.badge.foregroundRole(), theme.color("tint"))
        self.badge.setPalette(palette)
        self.note_label.refresh_colors()
        self.facts_label.refresh_colors()


def facts_of(offer: ModelOffer) -> str:
    """Return `1.6 GB · fast · 99 languages`, or how the model stands."""
    if offer.problem is not None:
        return tr_phrase(offer.problem)
    if not offer.fits:
        return tr("Needs more memory than this Mac has.")
    parts = []
    if offer.is_on_its_way:
        done = percent(offer.fraction) if offer.fraction is not None else tr("Starting")
        parts.append(tr("Downloading · {done}", done=done))
    elif offer.is_demo:
        parts.append(tr("Built in"))
    elif offer.is_installed:
        parts.append(tr("On this Mac"))
    if offer.download_bytes and not offer.is_installed:
        parts.append(size_text(offer.download_bytes))
    parts += [part for part in (offer.speed, offer.languages) if part]
    return " · ".join(parts)


class ModelStep(Step):
    """Choose a model and fetch it; going on while it is fetched is fine."""

    def __init__(self, ports: MeetingPorts, parent: QWidget | None = None) -> None:
        super().__init__(
            tr("Choose a model"),
            tr("A model turns sound into text. Larger ones make fewer mistakes and take longer."),
            parent,
        )
        self._ports = ports
        self.rows: dict[str, OfferRow] = {}
        self._group = QButtonGroup(self)
        self._list = QWidget(self)
        self._list_column = QVBoxLayout(self._list)
        self._list_column.setContentsMargins(0, 0, 0, 0)
        self._list_column.setSpacing(12)
        self._list_column.addStretch(1)
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(self._list)
        self.column.addWidget(self.area, 1)
        self.free_label = QuietLabel("", self)
        self.get_button = QPushButton(tr("Download"), self)
        self.get_button.setAutoDefault(True)
        self.get_button.clicked.connect(self._get_or_stop)
        foot = QHBoxLayout()
        foot.addWidget(self.free_label, 1)
        foot.addWidget(self.get_button)
        self.column.addLayout(foot)
        self._group.buttonToggled.connect(lambda _button, _is_on: self._render())
        self.refresh()

    @property
    def chosen(self) -> ModelOffer | None:
        """The model whose button is on."""
        for row in self.rows.values():
            if row.button.isChecked():
                return row.offer
        return None

    @property
    def first_control(self) -> QWidget | None:
        for row in self.rows.values():
            if row.button.isChecked():
                return row.button
        return next((row.button for row in self.rows.values() if row.button.isEnabled()), None)

    def enter(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        models = self._ports.models
        offers = models.offers() if models is not None else ()
        free = models.free_bytes() if models is not None else 0
        for offer in offers:
            row = self.rows.get(offer.model_id)
            if row is None:
                row = self._add(offer)
            row.show_offer(offer, free)
        gone = set(self.rows) - {offer.model_id for offer in offers}
        for model_id in gone:
            row = self.rows.pop(model_id)
            self._group.removeButton(row.button)
            row.hide()
            row.deleteLater()
        if self.chosen is None:
            usable = [row for row in self.rows.values() if row.button.isEnabled()]
            best = next((row for row in usable if row.offer.is_recommended), None)
            for row in (best, *usable[:1]):
                if row is not None:
                    row.button.setChecked(True)
                    break
        self.free_label.setText(tr("{size} free on this disk", size=size_text(free)))
        self.free_label.setVisible(models is not None)
        self._render()

    def refresh_colors(self) -> None:
        super().refresh_colors()
        theme.refresh_scroll_bars(self)
        self.free_label.refresh_colors()
        for row in self.rows.values():
            row.refresh_colors()

    def _add(self, offer: ModelOffer) -> OfferRow:
        row = OfferRow(offer, self._list)
        row.refresh_colors()
        self.rows[offer.model_id] = row
        self._group.addButton(row.button)
        self._list_column.insertWidget(self._list_column.count() - 1, row)
        return row

    def _render(self) -> None:
        chosen = self.chosen
        can_get = chosen is not None and not chosen.is_installed
        self.get_button.setVisible(can_get)
        if chosen is not None and chosen.is_on_its_way:
            self.get_button.setText(tr("Stop"))
        else:
            self.get_button.setText(tr("Download"))

    def _get_or_stop(self) -> None:
        chosen, models = self.chosen, self._ports.models
        if chosen is None or models is None:
            return
        if chosen.is_on_its_way:
            models.stop(chosen.model_id)
        else:
            try:
                models.get(chosen.model_id)
            except AppError as error:
                row = self.rows[chosen.model_id]
                row.facts_label.setText(f"{tr_phrase(error.message)} {tr_phrase(error.hint)}")
                row.facts_label.set_color("error")
                return
        self.refresh()
