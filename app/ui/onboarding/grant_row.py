"""One permission: how it stands in practice, and the one button that can change it.

The system is asked anew each time; what a person was shown or has clicked is never taken for an
answer. A button is only ever an offer: nothing here asks by itself, so nothing can loop.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.config.identity import NAME
from app.config.translate import tr
from app.macos.permissions import Grant, Permission, Permissions
from app.ui import theme
from app.ui.widgets.labels import PlainLabel, QuietLabel

_ICON = 22


class GrantRow(QWidget):
    """A permission with its state. Signals: `changed(Grant)` when the state is another one."""

    changed = Signal(object)
    _answered = Signal()

    def __init__(
        self,
        permissions: Permissions,
        permission: Permission,
        title: str,
        why: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._permissions = permissions
        self._permission = permission
        self._title = title
        self._has_asked = False
        self.grant: Grant | None = None
        self._icon = QLabel(self)
        self._icon.setFixedSize(_ICON, _ICON)
        self.title_label = PlainLabel(title, self, wraps=True)
        self.title_label.setFont(theme.font(is_bold=True))
        self._why = QuietLabel(why, self, wraps=True)
        self.state_label = QuietLabel("", self, wraps=True)
        self.button = QPushButton(self)
        self.button.setAutoDefault(True)
        self.button.clicked.connect(self.act)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for label in (self.title_label, self._why, self.state_label):
            texts.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)
        self.refresh()

    def refresh(self) -> None:
        """Ask the system and show what it says."""
        grant = self._permissions.probe(self._permission)
        if grant is self.grant:
            return
        self.grant = grant
        self.state_label.setText(self._state_text(grant))
        self.state_label.set_color("success" if grant is Grant.GRANTED else "warning")
        self.state_label.setVisible(grant is not Grant.NOT_ASKED)
        text = self._button_text(grant)
        self.button.setVisible(bool(text))
        self.button.setText(text)
        self.button.setAccessibleName(f"{self._title}: {text}")
        self.refresh_colors()
        self.changed.emit(grant)

    def refresh_colors(self) -> None:
        is_granted = self.grant is Grant.GRANTED
        name, tint = ("check", "success") if is_granted else (_ICON_OF[self._permission], "tint")
        self._icon.setPixmap(theme.pixmap(name, theme.color(tint).name(), _ICON))
        for label in (self._why, self.state_label):
            label.refresh_colors()

    def act(self) -> None:
        """Ask the person once; after that only System Settings can change it."""
        can_ask = self.grant is Grant.NOT_ASKED or (
            self.grant is Grant.DENIED
            and not self._has_asked
            and self._permission is not Permission.MICROPHONE  # asked once in a lifetime
        )
        if can_ask:
            self._has_asked = True
            self._permissions.request(self._permission, lambda _grant: self._answered.emit())
            self._show_button_again()
        else:
            self._permissions.open_settings(self._permission)

    def _show_button_again(self) -> None:
        if self.grant is not None:
            text = self._button_text(self.grant)
            self.button.setText(text)
            self.button.setAccessibleName(f"{self._title}: {text}")

    def _on_answered(self) -> None:
        self.refresh()
        window = self.window()
        if self.isVisible():  # the system's question had the front
            window.raise_()
            window.activateWindow()

    def _state_text(self, grant: Grant) -> str:
        return {
            Grant.GRANTED: tr("Allowed."),
            Grant.DENIED: tr("Switched off for {app} in System Settings.", app=NAME),
            Grant.NOT_ASKED: "",
            Grant.STALE: tr(
                "It looks switched on but does not count since the last update: remove {app} from "
                "the list in System Settings with −, then add it again.",
                app=NAME,
            ),
        }[grant]

    def _button_text(self, grant: Grant) -> str:
        if grant is Grant.GRANTED:
            return ""
        is_first = not self._has_asked and self._permission is not Permission.MICROPHONE
        if grant is Grant.NOT_ASKED or (grant is Grant.DENIED and is_first):
            return tr("Allow…")
        return tr("Open System Settings")


_ICON_OF = {
    Permission.MICROPHONE: "microphone",
    Permission.ACCESSIBILITY: "edit",
    Permission.INPUT_MONITORING: "keyboard",
}
