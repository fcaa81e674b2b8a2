"""The menu-bar icon: what is recorded now, and a short menu.

The menu is made anew from what is true now and set whole; nothing is kept but what was set last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.config.paths import resources
from app.config.settings import Settings
from app.config.translate import tr
from app.core.dictation import Dictation, Outcome, Stage, StageChanged
from app.core.language import AUTO, CODES, language_name
from app.core.recording import RecordingKind
from app.macos.status_item import MenuEntry, OnChosen, OnFiles, StatusItem
from app.ui import theme
from app.ui.live.wording import face_of
from app.ui.ports import ModelChoice, Ports

_SEPARATOR = MenuEntry()
_SIZES = (16, 22, 32, 44)


@dataclass(frozen=True, slots=True)
class TrayDeeds:
    """What the menu asks the app for."""

    open_window: Callable[[], None]
    show_settings: Callable[[], None]
    quit: Callable[[], None]
    add_files: Callable[[list[Path]], None]


class Tray(QObject):
    """Keeps icon and menu true.

    Args:
        make_item: makes the item, given what to call when an entry is chosen or files come;
            `None` where there is no place for one.
        ports: what the menu shows and asks.
        deeds: what else it asks for.
    """

    def __init__(
        self,
        make_item: Callable[[OnChosen, OnFiles], StatusItem | None],
        ports: Ports,
        deeds: TrayDeeds,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._ports = ports
        self._deeds = deeds
        self._shown: tuple[MenuEntry, ...] = ()
        self._state = ""
        self.item = make_item(self._on_chosen, deeds.add_files)
        if self.item is None:
            return
        ports.events.stage_changed.connect(self._on_changed)
        if ports.microphones is not None:
            ports.microphones.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is true now: after a setting, a microphone or the take has changed."""
        if self.item is None:
            return
        dictation = self._ports.dictation
        now = dictation.now if dictation is not None else StageChanged()
        state = icon_state(now)
        if state != self._state:
            self._state = state
            self.item.set_icon(resources() / "menubar" / f"{state}.png", describe(now))
        entries = menu_of(self._ports, now)
        if entries != self._shown:
            self._shown = entries
            self.item.set_menu(entries)

    def close(self) -> None:
        """Take the icon away."""
        if self.item is not None:
            self.item.close()
            self.item = None

    def _on_changed(self, _now: StageChanged) -> None:
        self.refresh()

    def _on_chosen(self, entry: str) -> None:
        kind, _, value = entry.partition(":")
        settings = {"microphone": "microphone", "model": "model_id", "language": "language"}
        if kind in settings:
            self._ports.commands.change_settings(**{settings[kind]: value})
            self.refresh()
            return
        call = self._calls().get(kind)
        if call is not None:
            call()

    def _calls(self) -> dict[str, Callable[[], None]]:
        deeds: dict[str, Callable[[], None]] = {
            "open": self._deeds.open_window,
            "settings": self._deeds.show_settings,
            "quit": self._deeds.quit,
        }
        take = self._ports.dictation
        return deeds if take is None else {**_take_calls(take), **deeds}


def _take_calls(take: Dictation) -> dict[str, Callable[[], None]]:
    return {
        "quick": lambda: take.start(RecordingKind.QUICK),
        "dictate": lambda: take.start(RecordingKind.DICTATION),
        "stop": take.stop,
        "pause": take.pause,
        "resume": take.resume,
        "cancel": take.cancel,
        "undo": take.undo_cancel,
        "retry": take.retry,
        "copy": take.copy_last,
        "paste": take.paste_last,
        "unpaste": take.undo_insertion,
    }


def icon_state(now: StageChanged) -> str:
    """Return which of `resources/menubar` is shown."""
    if now.stage is Stage.IDLE:
        return "idle"
    if now.stage is Stage.FINISHING:
        return "finishing"
    return "paused" if now.is_paused else "recording"


def describe(now: StageChanged) -> str:
    """Return what the icon is, for a screen reader."""
    face = face_of(now) if now.stage is not Stage.IDLE else None
    return tr("Undertone, {state}", state=face.state.removesuffix("…")) if face else "Undertone"


def menu_of(ports: Ports, now: StageChanged) -> tuple[MenuEntry, ...]:
    """Return the whole menu."""
    take = _take_entries(ports, now) if ports.dictation is not None else ()
    return (
        *take,
        *_choices(ports),
        _SEPARATOR,
        MenuEntry("open", tr("Open Undertone")),
        MenuEntry("settings", tr("Settings…")),
        _SEPARATOR,
        MenuEntry("quit", tr("Quit Undertone")),
    )


def _take_entries(ports: Ports, now: StageChanged) -> tuple[MenuEntry, ...]:
    face = face_of(now)
    found: list[MenuEntry] = []
    if now.stage is Stage.IDLE:
        found.append(MenuEntry("quick", _with_key(ports, tr("Start Quick Record"), "quick")))
        found.append(MenuEntry("dictate", _with_key(ports, tr("Dictate"), "dictate")))
    else:
        is_open = now.stage is not Stage.FINISHING
        title = tr("Stop Quick Record")
        if now.kind is RecordingKind.DICTATION:
            title = tr("Stop Dictation")
        found.append(MenuEntry("", face.state if face else "", is_enabled=False))
        found.append(MenuEntry("stop", title, is_enabled=is_open))
        pause = ("resume", tr("Resume")) if now.is_paused else ("pause", tr("Pause"))
        found.append(MenuEntry(*pause, is_enabled=now.stage is Stage.RECORDING))
        found.append(MenuEntry("cancel", tr("Cancel"), is_enabled=is_open))
    if now.can_undo:
        found.append(MenuEntry("undo", tr("Undo Cancel")))
    if now.can_retry:
        found.append(MenuEntry("retry", tr("Retry Transcription")))
    has_text = bool(now.text) and now.stage is Stage.IDLE
    is_inserted = has_text and now.outcome is Outcome.INSERTED
    return (
        *found,
        _SEPARATOR,
        MenuEntry("copy", tr("Copy Last Transcript"), is_enabled=now.stage is Stage.IDLE),
        MenuEntry("paste", tr("Paste Last Transcript"), is_enabled=now.stage is Stage.IDLE),
        MenuEntry("unpaste", tr("Undo Last Insertion"), is_enabled=is_inserted),
        _SEPARATOR,
    )


def _choices(ports: Ports) -> tuple[MenuEntry, ...]:
    settings = ports.commands.settings
    found = []
    if ports.microphones is not None:
        found.append(MenuEntry("", tr("Microphone"), entries=_microphones(ports, settings)))
    if ports.models:
        found.append(MenuEntry("", tr("Model"), entries=_models(ports.models, settings)))
    found.append(MenuEntry("", tr("Language"), entries=_languages(ports.models, settings)))
    return tuple(found)


def _microphones(ports: Ports, settings: Settings) -> tuple[MenuEntry, ...]:
    assert ports.microphones is not None
    chosen = settings.microphone
    found = [MenuEntry("microphone:", tr("The system’s choice"), is_checked=not chosen)]
    values = []
    for choice in ports.microphones.choices:
        value = f"{choice.uid}\t{choice.name}"
        values.append(value)
        found.append(MenuEntry(f"microphone:{value}", choice.name, is_checked=value == chosen))
    if chosen and chosen not in values:
        name = tr("{name} (not connected)", name=chosen.partition("\t")[2] or chosen)
        found.append(MenuEntry(f"microphone:{chosen}", name, is_checked=True))
    return tuple(found)


def _models(models: Sequence[ModelChoice], settings: Settings) -> tuple[MenuEntry, ...]:
    ids = [model.model_id for model in models]
    is_auto = settings.model_id not in ids
    found = []
    if len(models) > 1:
        found.append(MenuEntry(f"model:{AUTO}", tr("Best model"), is_checked=is_auto))
    for model in models:
        is_chosen = model.model_id == settings.model_id or (is_auto and len(models) == 1)
        found.append(MenuEntry(f"model:{model.model_id}", model.title, is_checked=is_chosen))
    return tuple(found)


def _languages(models: Sequence[ModelChoice], settings: Settings) -> tuple[MenuEntry, ...]:
    by_id = {model.model_id: model for model in models}
    model = by_id.get(settings.model_id) or (models[0] if len(models) == 1 else None)
    known = set(model.languages if model is not None and model.languages else CODES)
    wanted = set(settings.languages) & known or known
    if settings.language in known:
        wanted.add(settings.language)
    named = sorted((tr(language_name(code)), code) for code in wanted)
    found = [MenuEntry(f"language:{AUTO}", tr("Any language"), is_checked=True)]
    for name, code in named:
        is_chosen = code == settings.language
        found.append(MenuEntry(f"language:{code}", name, is_checked=is_chosen))
        if is_chosen:
            found[0] = MenuEntry(f"language:{AUTO}", tr("Any language"))
    return tuple(found)


def _with_key(ports: Ports, title: str, name: str) -> str:
    key = ports.hotkeys.shown(name) if ports.hotkeys is not None else ""
    return f"{title}   {key}" if key else title


class QtStatusItem:
    """The item by `QSystemTrayIcon`, where the system has no better one; takes no drops."""

    def __init__(self, on_chosen: OnChosen, on_files: OnFiles) -> None:  # noqa: ARG002
        self._on_chosen = on_chosen
        self._icon_file = Path()
        self._tray = QSystemTrayIcon()
        self._menu = QMenu()
        self._tray.setContextMenu(self._menu)
        self._tray.activated.connect(self._on_activated)

    def set_icon(self, icon: Path, description: str) -> None:
        self._tray.setIcon(_tinted(icon.with_suffix(".svg")))
        self._tray.setToolTip(description)
        self._tray.show()

    def set_title(self, title: str) -> None:
        self._tray.setToolTip(title or "Undertone")

    def set_menu(self, entries: Sequence[MenuEntry]) -> None:
        old, self._menu = self._menu, QMenu()
        self._fill(self._menu, entries)
        self._tray.setContextMenu(self._menu)
        old.deleteLater()

    def is_shown(self) -> bool:
        return self._tray.isVisible() and QSystemTrayIcon.isSystemTrayAvailable()

    def close(self) -> None:
        self._tray.hide()
        self._tray.deleteLater()
        self._menu.deleteLater()

    @property
    def menu(self) -> QMenu:
        """The menu as it is set."""
        return self._menu

    def _fill(self, menu: QMenu, entries: Sequence[MenuEntry]) -> None:
        for entry in entries:
            if not entry.title:
                menu.addSeparator()
            elif entry.entries:
                self._fill(menu.addMenu(_escaped(entry.title)), entry.entries)
            else:
                action = QAction(_escaped(entry.title), menu)
                action.setEnabled(entry.is_enabled)
                action.setCheckable(entry.is_checked)
                action.setChecked(entry.is_checked)
                action.triggered.connect(
                    lambda _checked=False, entry=entry: self._on_chosen(entry.id)
                )
                menu.addAction(action)

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._on_chosen("open")


def _escaped(title: str) -> str:
    return title.replace("&", "&&")


def _tinted(svg: Path) -> QIcon:
    """Return an icon that can be seen on the system's panel."""
    ink = "#ffffff" if theme.system_is_dark() else "#1c1c1f"
    source = QByteArray(svg.read_text(encoding="utf-8").replace("#000", ink).encode())
    icon = QIcon()
    for side in _SIZES:
        picture = QPixmap(QSize(side, side))
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        QSvgRenderer(source).render(painter, QRectF(0, 0, side, side))
        painter.end()
        icon.addPixmap(picture)
    icon.setIsMask(True)
    return icon
