"""What can be set about models: memory, Voxtral's ways, and where downloads come from."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.config.translate import tr, tr_plural
from app.core.errors import AppError, mark
from app.ui import theme
from app.ui.models.ports import ModelPorts
from app.ui.widgets.labels import QuietLabel

UNLOAD_MIN = (1, 5, 10, 30, 0)
DELAYS_MS = (240, 480, 960, 1200, 2400)


class ModelOptions(QWidget):
    """The settings below the list of models; each is applied at once."""

    def __init__(
        self,
        ports: ModelPorts,
        complain: Callable[[AppError], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._ports = ports
        self._complain = complain
        self._quiet: list[QuietLabel] = []
        now = ports.settings()
        self.unload_box = self._box(
            tr("Unload an unused model"), [(_unload_name(m), m) for m in UNLOAD_MIN]
        )
        self._choose(self.unload_box, now.unload_after_min, _unload_name(now.unload_after_min))
        self.delay_box = self._box(
            tr("Delay of Voxtral Realtime"), [(_delay_name(ms), ms) for ms in DELAYS_MS]
        )
        self._choose(self.delay_box, now.voxtral_delay_ms, _delay_name(now.voxtral_delay_ms))
        self.words_check = QCheckBox(tr("Find word times with an installed Whisper model"), self)
        self.words_check.setChecked(now.aligns_words)
        self.offline_check = QCheckBox(tr("Stay offline: never open a connection"), self)
        self.offline_check.setChecked(now.offline)
        self.mirror_edit = self._line(
            tr("Download from"), "https://huggingface.co", now.model_mirror
        )
        self.proxy_edit = self._line(tr("Proxy"), tr("The system’s own"), now.proxy)
        self._lay_out()
        self._connect()

    def refresh_colors(self) -> None:
        # Fields need a ground that is not their own colour.
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("window"))
        self.setPalette(palette)
        for label in self._quiet:
            label.refresh_colors()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 20)
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Unload when unused:"), self.unload_box)
        form.addRow(
            tr("Voxtral Realtime:"),
            self._with_note(
                self.delay_box,
                tr("How far the text follows the voice. Longer is slower and more accurate."),
            ),
        )
        form.addRow(
            tr("Voxtral 2507:"),
            self._with_note(
                self.words_check,
                tr("It does not say when a word was spoken. This takes a little time and memory."),
            ),
        )
        form.addRow(
            tr("Network:"),
            self._with_note(
                self.offline_check,
                tr("Models that are here go on working. Nothing else uses the network."),
            ),
        )
        form.addRow(tr("Download from:"), self.mirror_edit)
        form.addRow(tr("Proxy:"), self.proxy_edit)

    def _connect(self) -> None:
        change = self._change
        self.unload_box.activated.connect(
            lambda _at: change(unload_after_min=int(self.unload_box.currentData()))
        )
        self.delay_box.activated.connect(
            lambda _at: change(voxtral_delay_ms=int(self.delay_box.currentData()))
        )
        self.words_check.toggled.connect(lambda is_on: change(aligns_words=is_on))
        self.offline_check.toggled.connect(self._on_offline)
        self.mirror_edit.editingFinished.connect(self._on_mirror)
        self.proxy_edit.editingFinished.connect(
            lambda: change(proxy=self.proxy_edit.text().strip())
        )

    def _change(self, **changes: object) -> None:
        now = self._ports.settings()
        if any(getattr(now, name) != value for name, value in changes.items()):
            self._ports.change(**changes)

    def _on_offline(self, is_on: bool) -> None:
        self._change(offline=is_on)
        if is_on:
            self._ports.commands.stay_offline()

    def _on_mirror(self) -> None:
        address = self.mirror_edit.text().strip().rstrip("/")
        if address and not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            self._complain(
                AppError(
                    mark("“{address}” is no address models may be downloaded from."),
                    mark("It must begin with https://."),
                    address=address,
                )
            )
            self.mirror_edit.setText(self._ports.settings().model_mirror)
            return
        self._change(model_mirror=address)

    def _box(self, name: str, items: Sequence[tuple[str, int]]) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setMinimumHeight(theme.TARGET)
        for text, value in items:
            box.addItem(text, value)
        return box

    def _choose(self, box: QComboBox, value: int, name: str) -> None:
        if box.findData(value) < 0:  # by hand or from the command line
            box.addItem(name, value)
        box.setCurrentIndex(box.findData(value))

    def _line(self, name: str, otherwise: str, text: str) -> QLineEdit:
        line = QLineEdit(text, self)
        line.setAccessibleName(name)
        line.setPlaceholderText(otherwise)
        line.setMinimumHeight(theme.TARGET)
        return line

    def _with_note(self, widget: QWidget, note: str) -> QVBoxLayout:
        label = QuietLabel(note, self, wraps=True)
        label.setFont(theme.font(0.92))
        widget.setAccessibleDescription(note)
        self._quiet.append(label)
        column = QVBoxLayout()
        column.setSpacing(3)
        column.addWidget(widget)
        column.addWidget(label)
        return column


def _unload_name(minutes: int) -> str:
    if not minutes:
        return tr("Never")
    return tr_plural("After {count} minute", "After {count} minutes", minutes)


def _delay_name(delay_ms: int) -> str:
    name = tr("{seconds:.2f} seconds", seconds=delay_ms / 1000)
    return tr("{delay} (recommended)", delay=name) if delay_ms == 480 else name
