"""The general settings: how the app is there, looks and sounds, and which languages it hears."""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QCheckBox, QListWidget, QListWidgetItem, QWidget

from app.config.settings import Settings
from app.config.translate import tr, tr_phrase
from app.core.errors import AppError
from app.core.language import AUTO, CODES, language_name
from app.macos.login_item import LoginItem, LoginState
from app.ui import theme
from app.ui.ports import Ports
from app.ui.settings.form import Change, SettingsPage, column_of, push_button

_LIST_TALL = 116  # px, four languages


class GeneralPage(SettingsPage):
    """Launch at login, Dock icon, sounds, appearance, languages."""

    def __init__(self, ports: Ports, change: Change, parent: QWidget | None = None) -> None:
        super().__init__(lambda: ports.commands.settings, change, parent)
        self.login = LoginBox(ports.login_item, self) if ports.login_item is not None else None
        presence: list[QWidget] = []
        if self.login is not None:
            self.on_refresh(self.login.refresh)
            presence.append(self.login)
        if ports.has_dock:
            self.dock_box = self.check(
                "shows_dock_icon", tr("Show the icon in the Dock while no window is open")
            )
            presence.append(self.dock_box)
        if self.login is not None:
            self.login_note = self.note(indent=22)
            self.login_button = push_button(tr("Open Login Items…"), self._approve, self)
            self.login.told.append(self._show_login)
            presence += [self.login_note, self.login_button]
        if presence:
            self.row(tr("Undertone:"), column_of(*presence))
        self.sounds_box = self.check("sounds", tr("Play a sound when recording begins and ends"))
        self.row(tr("Sounds:"), self.sounds_box)
        self.appearance_box = self.choice(
            "appearance",
            tr("Appearance"),
            [
                ("system", tr("Like the system")),
                ("light", tr("Light")),
                ("dark", tr("Dark")),
            ],
        )
        self.row(tr("Appearance:"), self.appearance_box)
        named = sorted((tr(language_name(code)), code) for code in CODES)
        self.language_box = self.choice(
            "language",
            tr("Spoken language"),
            [(AUTO, tr("Any language")), *((code, name) for name, code in named)],
        )
        self.row(tr("Spoken language:"), self.language_box)
        self.languages = LanguageList(self.settings, change, named, self)
        self.on_refresh(self.languages.refresh)
        self.row(
            tr("Listen only for:"),
            self.languages,
            tr("With “Any language”, one of these is recognized. None chosen means all."),
        )
        self.updates_box = self.check(
            "checks_updates", tr("Ask once a week whether there is a newer version")
        )
        self.row(tr("Updates:"), self.updates_box)
        if self.login is not None:
            self.login.refresh()

    def _show_login(self, state: LoginState, problem: AppError | None) -> None:
        text = ""
        if problem is not None:
            text = f"{tr_phrase(problem.message)} {tr_phrase(problem.hint)}"
        elif state is LoginState.NEEDS_APPROVAL:
            text = tr("macOS wants you to allow this in System Settings first.")
        elif state is LoginState.UNAVAILABLE:
            text = tr("Available once Undertone lies in the Applications folder.")
        self.login_note.setText(text)
        self.login_note.setVisible(bool(text))
        self.login_button.setVisible(state is LoginState.NEEDS_APPROVAL)

    def _approve(self) -> None:
        if self.login is not None:
            self.login.item.open_settings()


class LoginBox(QCheckBox):
    """Launch at login, as the system has it: read back after each change."""

    def __init__(self, item: LoginItem, parent: QWidget) -> None:
        super().__init__(tr("Start at login"), parent)
        self.item = item
        self.told: list[Callable[[LoginState, AppError | None], None]] = []
        self.setMinimumHeight(theme.TARGET - 4)
        self.toggled.connect(self._on_toggled)

    def refresh(self) -> None:
        """Show how it stands."""
        self._show(self.item.state(), None)

    def _on_toggled(self, is_on: bool) -> None:
        try:
            self._show(self.item.set(is_on), None)
        except AppError as error:
            self._show(self.item.state(), error)

    def _show(self, state: LoginState, problem: AppError | None) -> None:
        with QSignalBlocker(self):
            self.setChecked(state in (LoginState.ON, LoginState.NEEDS_APPROVAL))
        self.setEnabled(state is not LoginState.UNAVAILABLE)
        for tell in self.told:
            tell(state, problem)


class LanguageList(QListWidget):
    """The languages among which one is recognized."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        change: Change,
        named: list[tuple[str, str]],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._change = change
        self.setAccessibleName(tr("Languages that are listened for"))
        self.setFixedHeight(_LIST_TALL)
        for name, code in named:
            item = QListWidgetItem(name, self)
            item.setData(Qt.ItemDataRole.UserRole, code)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
        self.refresh()
        self._put_chosen_first()
        self.itemChanged.connect(lambda _item: self._store())

    @property
    def chosen(self) -> tuple[str, ...]:
        items = (self.item(row) for row in range(self.count()))
        return tuple(
            str(item.data(Qt.ItemDataRole.UserRole))
            for item in items
            if item.checkState() is Qt.CheckState.Checked
        )

    def refresh(self) -> None:
        wanted = set(self._settings().languages)
        with QSignalBlocker(self):
            for row in range(self.count()):
                item = self.item(row)
                is_on = item.data(Qt.ItemDataRole.UserRole) in wanted
                item.setCheckState(Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked)

    def _put_chosen_first(self) -> None:
        """Begin with what is chosen: it is what a person looks for."""
        chosen = set(self.chosen)
        rows = [row for row in range(self.count()) if self._code(row) in chosen]
        for place, row in enumerate(rows):
            self.insertItem(place, self.takeItem(row))

    def _code(self, row: int) -> str:
        return str(self.item(row).data(Qt.ItemDataRole.UserRole))

    def _store(self) -> None:
        self._change(languages=self.chosen)
