"""Exports as files: safe names, and a file that is complete or not there.

The text is written beside its target, brought to the disk and then given its name; whatever a title
holds, the file stays in the chosen folder.
"""

import contextlib
import errno
import os
import re
import secrets
import time
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from app.config.translate import tr
from app.core.errors import AppError, DiskFull, ExportFailed, mark
from app.export.document import ExportDocument, ExportOptions
from app.export.formats import FORMATS

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}
_PARTIAL = ".undertone-{}.partial"
_STALE_S = 3600.0
_MOST_NUMBERS = 10_000
_KEPT_INVISIBLE = "\u200c\u200d"  # Persian and joined emoji need them
_TO_DASH = re.compile(r"[/\\:|]+")
_FIELD = re.compile(r"\{(\w+)\}")
_NOT_IN_NAMES = re.compile(r'[<>"?*]')


def safe_name(title: str, max_bytes: int = 200) -> str:
    """Return a file name, without suffix, that stays where it is put and can be typed."""
    text = unicodedata.normalize("NFC", title.encode("utf-8", "replace").decode("utf-8"))
    text = "".join(_kept(character) for character in text)
    text = _NOT_IN_NAMES.sub("", _TO_DASH.sub("-", text))
    text = _trimmed(" ".join(text.split()))
    raw = text.encode("utf-8")
    if len(raw) > max_bytes:
        text = _trimmed(raw[:max_bytes].decode("utf-8", "ignore"))
    return text or tr("Transcript")


def _kept(character: str) -> str:
    if character in _KEPT_INVISIBLE:
        return character
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "" if category[0] == "C" and category != "Co" else character


def _trimmed(text: str) -> str:
    return text.strip(" " + _KEPT_INVISIBLE).lstrip(".-~ ").rstrip(". " + _KEPT_INVISIBLE)


def name_from(template: str, document: ExportDocument, number: int = 1) -> str:
    """Return a file name made by a person's template, never leaving its folder.

    `{title}`, `{date}`, `{time}`, `{language}` and `{number}` are filled in; anything else stays.
    """
    made = datetime.fromtimestamp(document.created_at)
    filled = {
        "title": document.title,
        "date": f"{made:%Y-%m-%d}",
        "time": f"{made:%H.%M}",
        "language": document.transcript.language or "",
        "number": str(number),
    }
    return safe_name(_FIELD.sub(lambda found: filled.get(found[1], found[0]), template))


def target_for(folder: Path, title: str, format_id: str) -> Path:
    """Return where a recording called `title` is exported to, always directly in `folder`."""
    return folder / f"{safe_name(title)}{FORMATS[format_id].suffix}"


def write_export(
    document: ExportDocument,
    format_id: str,
    target: Path,
    overwrite: bool = False,
    options: ExportOptions = ExportOptions(),  # noqa: B008  # frozen
) -> Path:
    """Write `document` to `target` and return where it is.

    Without `overwrite` a file that is already there stays, and ours gets a number.

    Raises:
        DiskFull: no room; the target is as before.
        ExportFailed: it could not be written; the target is as before.
    """
    partial = target.with_name(_PARTIAL.format(secrets.token_hex(8)))
    try:
        _sweep(target.parent)
        try:
            _write(document, format_id, partial, options)
            if not overwrite:
                written = _place_beside(partial, target)
            else:
                _keep_mode(target, partial)
                written = partial.replace(target)
            _sync_folder(target.parent)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise _plain(error, target) from error
    return written


def _write(document: ExportDocument, format_id: str, partial: Path, options: ExportOptions) -> None:
    wanted = FORMATS[format_id]
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    file: IO[Any] = (
        os.fdopen(descriptor, "w+b")
        if wanted.is_binary
        else os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n")
    )
    with file:
        wanted.write(document, file, options)
        file.flush()
        os.fsync(descriptor)


def _place_beside(partial: Path, target: Path) -> Path:
    for number in range(1, _MOST_NUMBERS):
        name = target.name if number == 1 else f"{target.stem} ({number}){target.suffix}"
        free = target.with_name(name)
        try:
            free.hardlink_to(partial)  # refuses a name that is taken
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if free.exists():
                continue
            partial.rename(free)
        return free
    raise FileExistsError(errno.EEXIST, "too many files of that name", str(target))


def _keep_mode(target: Path, partial: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        partial.chmod(target.stat().st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # some network disks cannot; the file itself is safe
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what a killed export left here."""
    for leftover in folder.glob(_PARTIAL.format("*")):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_S:
                leftover.unlink()


def _plain(error: OSError, target: Path) -> AppError:
    if error.errno in _FULL:
        return DiskFull(
            mark("There is no room left on the disk that holds “{folder}”."),
            mark("Free some space, or export to another disk."),
            folder=str(target.parent),
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ExportFailed(
            mark("The folder “{folder}” is not there."),
            mark("Choose another folder to export to."),
            folder=str(target.parent),
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ExportFailed(
            mark("Undertone may not write to “{folder}”."),
            mark("Choose another folder to export to."),
            folder=str(target.parent),
        )
    return ExportFailed(
        mark("“{file}” could not be written: {reason}."),
        mark("Choose another folder or name and try again."),
        file=str(target),
        reason=os.strerror(error.errno) if error.errno else type(error).__name__,
    )
