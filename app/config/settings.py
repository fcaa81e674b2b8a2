"""What the person chose, declared once.

`Settings` is frozen: a change is a new value, saved whole and atomically. A file that cannot be
read is set aside, never overwritten, and what it held is salvaged field by field.
"""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config.paths import make_private_folder
from app.core.errors import DiskFull, SettingsError, mark

_VERSION = 1
_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

_CHOICES: dict[str, tuple[str, ...]] = {
    "appearance": ("system", "light", "dark"),
    "imported_files": ("reference", "copy"),
    "dictate_way": ("both", "hold", "toggle"),
    "insertion": ("insert", "copy"),
}
_RANGES = {
    "voxtral_delay_ms": (240, 2400),
    "unload_after_min": (0, 24 * 60),
    "bin_keeps_days": (0, 36_500),
    "backup_days": (1, 365),
    "backup_weeks": (0, 104),
    "backup_months": (0, 120),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default.

    Attributes:
        model_id: the model for new work; `auto` takes the best one on this Mac.
        language: a language code, or `auto`.
        languages: when the language is detected, only among these; empty means all.
        imported_files: `reference` leaves an imported file where it is, `copy` keeps one.
        appearance: `system`, `light` or `dark`.
        export_folder: where the export dialog opened last.
        export_format: as what was exported last; what is dragged out is written like that.
        export_names: how the files of several recordings are named.
        window_place: where the main window was, as the window wrote it down.
        dictate_hotkey: the global hotkey of dictation, as `macos.hotkey.Chord` writes it; empty
            takes the system's default.
        dictate_way: what the hotkey does: `hold` records while it is down, `toggle` at each press,
            `both` tells a hold from a tap by its length.
        quick_hotkey: the global hotkey of quick record; empty for none.
        insertion: `insert` writes into the front app, `copy` only puts text on the clipboard.
        smart_spacing: fit spaces and capitals to what stands around the caret.
        removes_fillers: leave out "um" and its like.
        spoken_commands: carry out "new line" and its like.
        numbers_as_digits: write spoken numbers as digits.
        vocabulary: names and terms in their right spelling.
        replacements: `heard<TAB>written`, one a line.
        snippets: `spoken<TAB>text`, one a line.
        auto_stop_s: seconds of silence after which a dictation ends by itself; 0 never.
        sounds: whether a sound tells that recording starts and ends.
        shows_dock_icon: whether the app is in the Dock also while no window of it is open.
        shows_overlay: whether the overlay is shown during a dictation.
        microphone: the chosen device as `uid<TAB>name`; empty is the system's own choice.
        builtin_while_bluetooth: take the built-in microphone while sound plays over Bluetooth.
        has_met: whether the first start's steps were finished or skipped.
        checks_updates: whether to ask once a week for a newer version; asked at the first start.
        updates_checked_at: when that was last done, in seconds since 1970.
        unload_after_min: minutes after which an unused model leaves memory; 0 never.
        voxtral_delay_ms: how far Voxtral Realtime's text follows the sound, 240 … 2400.
        aligns_words: let an installed Whisper model find word times for models that have none.
        retention: rules that put old recordings away, as `core.retention` writes them.
        bin_keeps_days: after how many days in the bin a recording is erased for good; 0 never.
        backup_folder: where backups go; empty makes none.
        backs_up_daily: make one a day by itself.
        backs_up_imported: take along the sound of imported files that stay where they are.
        backup_days: the newest backup of so many days is kept.
        backup_weeks: the newest of so many weeks.
        backup_months: the newest of so many months.
        offline: never open a connection.
        model_mirror: where models are downloaded from; empty for the usual place.
        proxy: the proxy for downloads as a URL; empty for the system's own.
    """

    model_id: str = "auto"
    language: str = "auto"
    languages: tuple[str, ...] = ()
    imported_files: str = "reference"
    appearance: str = "system"
    export_folder: str = ""
    export_format: str = "txt"
    export_names: str = "{title}"
    window_place: str = ""
    dictate_hotkey: str = ""
    dictate_way: str = "both"
    quick_hotkey: str = ""
    insertion: str = "insert"
    smart_spacing: bool = True
    removes_fillers: bool = True
    spoken_commands: bool = True
    numbers_as_digits: bool = False
    vocabulary: tuple[str, ...] = ()
    replacements: tuple[str, ...] = ()
    snippets: tuple[str, ...] = ()
    auto_stop_s: int = 0
    sounds: bool = True
    shows_dock_icon: bool = True
    shows_overlay: bool = True
    microphone: str = ""
    builtin_while_bluetooth: bool = True
    has_met: bool = False
    checks_updates: bool = False
    updates_checked_at: int = 0
    unload_after_min: int = 10
    voxtral_delay_ms: int = 480
    aligns_words: bool = True
    retention: tuple[str, ...] = ()
    bin_keeps_days: int = 30
    backup_folder: str = ""
    backs_up_daily: bool = True
    backs_up_imported: bool = True
    backup_days: int = 7
    backup_weeks: int = 4
    backup_months: int = 12
    offline: bool = False
    model_mirror: str = ""
    proxy: str = ""

    def changed(self, **changes: object) -> "Settings":
        """Return a copy with `changes` made.

        Raises:
            SettingsError: there is no such setting, or it cannot have that value.
        """
        for name, value in changes.items():
            if not _fits(name, value):
                raise SettingsError(
                    mark("The setting “{name}” cannot be “{value}”."),
                    mark("Choose one of the values the settings window offers."),
                    name=name,
                    value=str(value),
                )
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]  # checked above


def _fits(name: str, value: object) -> bool:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    if name not in defaults:
        return False
    default = defaults[name]
    if type(value) is not type(default):
        return False
    if isinstance(value, tuple):
        return all(isinstance(item, str) for item in value)
    if isinstance(value, int) and name in _RANGES:
        return _RANGES[name][0] <= value <= _RANGES[name][1]
    return name not in _CHOICES or value in _CHOICES[name]


def load_settings(file: Path) -> Settings:
    """Return the settings in `file`; whatever is missing or unreadable has its default."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, RecursionError):
        _set_aside(file)
        return Settings()
    if not isinstance(raw, dict):
        _set_aside(file)
        return Settings()
    written = raw.get("version")
    for version in range(written if isinstance(written, int) and written > 0 else 1, _VERSION):
        raw = _UPGRADES[version](raw)
    settings = Settings()
    for name, value in raw.items():
        value = tuple(value) if isinstance(value, list) else value
        if _fits(name, value):
            settings = settings.changed(**{name: value})
    return settings


def save_settings(settings: Settings, file: Path) -> None:
    """Write `settings` to `file`: afterwards it holds all of it, or what it held before.

    Raises:
        DiskFull: they could not be written.
    """
    make_private_folder(file.parent)
    content = {"version": _VERSION, **dataclasses.asdict(settings)}
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".settings-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(content, out, indent=1, ensure_ascii=False)
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise DiskFull(
            mark("Your settings could not be saved: {reason}."),
            mark("Free some disk space and change the setting again."),
            reason=error.strerror or str(error),
        ) from error


def _set_aside(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.replace(file.with_suffix(".unreadable.json"))
