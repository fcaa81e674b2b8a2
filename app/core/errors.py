"""Every error a person can meet, each one sentence and one way out.

    AppError
    ├── AudioError            sound could not be captured or read
    │   ├── DeviceLost        the microphone went away
    │   └── DecodeFailed      a media file could not be decoded
    ├── PermissionMissing     the system has not granted something
    ├── ModelError
    │   ├── ModelMissing      the model is not on this Mac
    │   ├── ModelDamaged      its files are not what they should be
    │   └── DownloadFailed    it could not be fetched
    │       └── Offline       the person wants no connections
    ├── EngineFailed          a recognizer failed
    │   └── EngineHung        it never came back: only a new start of the app helps
    ├── LibraryError
    │   ├── LibraryLocked     another program holds it
    │   ├── LibraryReadOnly   it can be read but not written
    │   ├── LibraryTooNew     a newer Undertone wrote it
    │   └── LibraryDamaged    its file is not what it should be
    ├── BackupFailed          a copy of the library could not be made or used
    │   ├── BackupMissing     the disk or folder it belongs to is not there
    │   └── BackupDamaged     it does not hold what was put into it
    ├── DiskFull              no room left
    ├── ExportFailed          a file could not be written
    ├── ImportFailed          a file could not be taken in
    │   └── AlreadyInLibrary  its sound is there already
    ├── InsertFailed          text could not be put into the front app
    ├── HotkeyRefused         a global hotkey could not be had
    ├── SettingsError         a setting has no such value
    └── Stopped               the person did not want to wait any longer

Anything that is not an `AppError` is a bug and is logged as one. `message` says what happened,
`hint` what the person can do. Both are English source strings marked for translation with `mark`,
and are formatted with `args`; the front ends translate the source first (`app.config.translate`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


def mark(source: str) -> str:
    """Mark `source` as a text for people, so that the translation tools find it."""
    return source


@dataclass(frozen=True, slots=True)
class Phrase:
    """A source string for people and what fills its `{placeholders}`."""

    source: str
    args: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.source.format(**self.args) if self.args else self.source


class AppError(Exception):
    """Something a person should read: what happened, and what they can do."""

    def __init__(self, message: str, hint: str = "", **args: object) -> None:
        self.message = Phrase(message, args)
        self.hint = Phrase(hint, args)
        super().__init__(message, hint, args)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        message, hint = self.message.source, self.hint.source
        return (_rebuild, (type(self), message, hint, dict(self.message.args)))


def _rebuild(kind: type[AppError], message: str, hint: str, args: Mapping[str, object]) -> AppError:
    return kind(message, hint, **args)


class AudioError(AppError): ...


class DeviceLost(AudioError): ...


class DecodeFailed(AudioError): ...


class PermissionMissing(AppError): ...


class ModelError(AppError): ...


class ModelMissing(ModelError): ...


class ModelDamaged(ModelError): ...


class DownloadFailed(ModelError): ...


class Offline(DownloadFailed): ...


class EngineFailed(AppError): ...


class EngineHung(EngineFailed): ...


class LibraryError(AppError): ...


class LibraryLocked(LibraryError): ...


class LibraryReadOnly(LibraryError): ...


class LibraryTooNew(LibraryError): ...


class LibraryDamaged(LibraryError): ...


class BackupFailed(AppError): ...


class BackupMissing(BackupFailed): ...


class BackupDamaged(BackupFailed): ...


class DiskFull(AppError): ...


class ExportFailed(AppError): ...


class ImportFailed(AppError): ...


class AlreadyInLibrary(ImportFailed):
    """Its `recording_id` argument names the recording that has the same sound."""


class InsertFailed(AppError): ...


class HotkeyRefused(AppError): ...


class SettingsError(AppError): ...


class Stopped(AppError): ...
