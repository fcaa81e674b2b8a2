"""How the panel says sizes, states and reasons, as pure functions."""

from PySide6.QtCore import QLocale

from app.config.translate import tr, tr_plural
from app.core.download import Download, DownloadState
from app.core.language import language_name
from app.pipeline.model_rows import ModelRow
from app.ui.wording import percent, time_left

_FEW_LANGUAGES = 4


def size(count: int) -> str:
    """Return `1.6 GB` as the person's system writes it."""
    digits = 0 if count >= 10_000_000_000 or count < 1_000_000_000 else 1
    return QLocale().formattedDataSize(count, digits, QLocale.DataSizeFormat.DataSizeSIFormat)


def reason(name: str) -> str:
    """Return what a model is recommended for."""
    return {
        "first": tr("Recommended"),
        "dictation": tr("Best for dictation"),
        "files": tr("Best for files"),
        "quality": tr("Best quality"),
    }[name]


def badges(row: ModelRow) -> list[str]:
    """Return what stands beside a model's name."""
    if row.is_demo:
        return [tr("Demonstration")]
    # “Recommended” says it for everything.
    shown = [name for name in row.reasons if name == "first"] or list(row.reasons)
    return [reason(name) for name in shown]


def facts(row: ModelRow, *, with_licence: bool = True) -> str:
    """Return `1.6 GB download · 2.1 GB memory · 100 languages`."""
    parts = []
    if row.is_installed:
        parts.append(tr("{size} on disk", size=size(row.disk_bytes)))
    elif row.download_bytes and row.is_exact_size:
        parts.append(tr("{size} download", size=size(row.download_bytes)))
    elif row.download_bytes:
        parts.append(tr("about {size} download", size=size(row.download_bytes)))
    if row.memory_bytes:
        parts.append(tr("{size} memory", size=size(row.memory_bytes)))
    parts.append(languages(row))
    if with_licence and row.licence:
        parts.append(row.licence)
    return " · ".join(part for part in parts if part)


def languages(row: ModelRow) -> str:
    """Return the languages of a model: by name when they are few."""
    if row.is_custom and not row.is_installed:
        return ""
    if not row.languages:
        return tr("about 100 languages") if not row.is_custom else ""
    if len(row.languages) > _FEW_LANGUAGES:
        return tr_plural("{count} language", "{count} languages", len(row.languages))
    return ", ".join(tr(language_name(code)) for code in row.languages)


def state(download: Download) -> str:
    """Return `Downloading · 42 % · 12 MB a second · about 3 min left`."""
    name = {
        DownloadState.QUEUED: tr("Waiting for the download before it"),
        DownloadState.ASKING: tr("Asking the server"),
        DownloadState.RUNNING: tr("Downloading"),
        DownloadState.WAITING: tr("Waiting for the network"),
        DownloadState.VERIFYING: tr("Verifying"),
        DownloadState.CONVERTING: tr("Making it smaller"),
        DownloadState.PAUSED: tr("Paused"),
        DownloadState.FAILED: tr("Stopped"),
        DownloadState.DONE: tr("Done"),
        DownloadState.CANCELLED: tr("Cancelled"),
    }[download.state]
    parts = [name]
    if download.fraction is not None and download.state is not DownloadState.QUEUED:
        parts.append(percent(download.fraction))
    if download.state in (DownloadState.RUNNING, DownloadState.PAUSED) and download.total_bytes:
        parts.append(
            tr(
                "{done} of {total}",
                done=size(download.done_bytes),
                total=size(download.total_bytes),
            )
        )
    if download.state is DownloadState.RUNNING and download.rate_bytes > 0:
        parts.append(tr("{size} a second", size=size(int(download.rate_bytes))))
    if (left_s := download.left_s) is not None:
        parts.append(time_left(left_s))
    return " · ".join(parts)


def disk_line(memory_bytes: int, used_bytes: int, free_bytes: int) -> str:
    """Return what this machine has and what models take of it."""
    # Memory is sold in powers of two, disks are not.
    parts = [tr("This computer has {count} GB of memory", count=round(memory_bytes / (1 << 30)))]
    if used_bytes:
        parts.append(tr("models take {size}", size=size(used_bytes)))
    parts.append(tr("{size} free on the disk", size=size(free_bytes)))
    return " · ".join(parts)
