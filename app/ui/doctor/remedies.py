"""What the one button beside each finding does, by the finding's kind.

Every kind a doctor can name stands here; a test holds the table against the code that names them.
"""

from enum import Enum, auto

from app.config.translate import tr


class Remedy(Enum):
    """A deed the app can do about a finding."""

    ASK_MICROPHONE = auto()
    OPEN_MICROPHONE = auto()
    OPEN_ACCESSIBILITY = auto()
    OPEN_INPUT_MONITORING = auto()
    CHOOSE_HOTKEY = auto()
    CHOOSE_MICROPHONE = auto()
    USE_BUILTIN = auto()
    GET_MODEL = auto()
    SHOW_MODELS_FOLDER = auto()
    SHOW_LIBRARY_FOLDER = auto()
    SHOW_DISK = auto()
    OPEN_RELEASES = auto()
    CHECK_LIBRARY = auto()
    SHOW_BACKUPS = auto()
    LOOK_AGAIN = auto()


OF_KIND = {
    "microphone_not_asked": Remedy.ASK_MICROPHONE,
    "microphone_denied": Remedy.OPEN_MICROPHONE,
    "microphone_stale": Remedy.OPEN_MICROPHONE,
    "accessibility_missing": Remedy.OPEN_ACCESSIBILITY,
    "accessibility_stale": Remedy.OPEN_ACCESSIBILITY,
    "input_monitoring_missing": Remedy.OPEN_INPUT_MONITORING,
    "input_monitoring_stale": Remedy.OPEN_INPUT_MONITORING,
    "hotkey_conflict": Remedy.CHOOSE_HOTKEY,
    "secure_input": Remedy.LOOK_AGAIN,
    "no_sound_system": Remedy.LOOK_AGAIN,
    "no_microphone": Remedy.LOOK_AGAIN,
    "microphone_unreachable": Remedy.CHOOSE_MICROPHONE,
    "microphone_silent": Remedy.CHOOSE_MICROPHONE,
    "bluetooth_profile": Remedy.USE_BUILTIN,
    "only_demo_model": Remedy.GET_MODEL,
    "no_model": Remedy.GET_MODEL,
    "model_damaged": Remedy.SHOW_MODELS_FOLDER,
    "model_unusable": Remedy.SHOW_MODELS_FOLDER,
    "settings_unreadable": Remedy.LOOK_AGAIN,
    "backup_missing": Remedy.SHOW_BACKUPS,
    "backup_old": Remedy.SHOW_BACKUPS,
    "decoder_broken": Remedy.LOOK_AGAIN,
    "disk_low": Remedy.SHOW_DISK,
    "cloud_folder": Remedy.SHOW_LIBRARY_FOLDER,
    "folder_not_writable": Remedy.SHOW_LIBRARY_FOLDER,
    "file_not_writable": Remedy.SHOW_LIBRARY_FOLDER,
    "too_open": Remedy.CHECK_LIBRARY,
    "library_read_only": Remedy.SHOW_LIBRARY_FOLDER,
    "library_damaged": Remedy.CHECK_LIBRARY,
    "library_locked": Remedy.LOOK_AGAIN,
    "library_out_of_reach": Remedy.LOOK_AGAIN,
    "library_too_new": Remedy.OPEN_RELEASES,
    "orphans": Remedy.CHECK_LIBRARY,
    "segments_damaged": Remedy.CHECK_LIBRARY,
    "search_drift": Remedy.CHECK_LIBRARY,
    "audio_missing": Remedy.CHECK_LIBRARY,
}


def remedy_of(kind: str) -> Remedy:
    """Return what helps against a kind of finding; looking again never harms."""
    return OF_KIND.get(kind, Remedy.LOOK_AGAIN)


def button_text(remedy: Remedy) -> str:
    """Return what the button says."""
    return {
        Remedy.ASK_MICROPHONE: tr("Allow…"),
        Remedy.OPEN_MICROPHONE: tr("Open System Settings"),
        Remedy.OPEN_ACCESSIBILITY: tr("Open System Settings"),
        Remedy.OPEN_INPUT_MONITORING: tr("Open System Settings"),
        Remedy.CHOOSE_HOTKEY: tr("Choose a Hotkey…"),
        Remedy.CHOOSE_MICROPHONE: tr("Choose a Microphone…"),
        Remedy.USE_BUILTIN: tr("Use Built-in Microphone"),
        Remedy.GET_MODEL: tr("Get a Model…"),
        Remedy.SHOW_MODELS_FOLDER: tr("Show Folder"),
        Remedy.SHOW_LIBRARY_FOLDER: tr("Show Folder"),
        Remedy.SHOW_DISK: tr("Show Folder"),
        Remedy.OPEN_RELEASES: tr("Get the New Version"),
        Remedy.CHECK_LIBRARY: tr("Check Library…"),
        Remedy.SHOW_BACKUPS: tr("Open Backups…"),
        Remedy.LOOK_AGAIN: tr("Look Again"),
    }[remedy]
