"""How the window says lengths, days, states and languages, as pure functions.

Everything here is a text for people and goes through the translation.
"""

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime
from PySide6.QtGui import QKeySequence

from app.config.translate import tr, tr_plural
from app.core.job import Job, JobStage, JobStatus
from app.core.language import AUTO, language_name
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.timecode import clock


def day_of(time_s: float) -> date:
    """Return the local day of a wall clock time."""
    return datetime.fromtimestamp(time_s).date()


def day_label(day: date, today: date) -> str:
    """Return `Today`, `Yesterday`, a weekday of this week, or the date."""
    if day == today:
        return tr("Today")
    if day == today - timedelta(days=1):
        return tr("Yesterday")
    value = QDate(day.year, day.month, day.day)
    locale = QLocale()
    if timedelta(0) < today - day < timedelta(days=7):
        return locale.dayName(value.dayOfWeek())
    return locale.toString(value, "d MMMM yyyy")


def time_of_day(time_s: float) -> str:
    """Return the local time as the person's system writes it."""
    moment = QDateTime.fromSecsSinceEpoch(int(time_s)).time()
    return QLocale().toString(QTime(moment.hour(), moment.minute()), QLocale.FormatType.ShortFormat)


def full_date(time_s: float) -> str:
    """Return `14 November 2026`."""
    day = day_of(time_s)
    return QLocale().toString(QDate(day.year, day.month, day.day), "d MMMM yyyy")


def language_label(code: str | None) -> str:
    """Return a language's name in the person's language."""
    if not code:
        return ""
    return tr("Automatic") if code == AUTO else tr(language_name(code))


def kind_label(kind: RecordingKind) -> str:
    """Return how the sound came in, in a word or two."""
    return {
        RecordingKind.FILE: tr("File"),
        RecordingKind.DICTATION: tr("Dictation"),
        RecordingKind.QUICK: tr("Quick record"),
    }[kind]


def recording_state(recording: Recording) -> str:
    """Return the state of a recording in a word or two; nothing when it is simply done."""
    return {
        RecordingStatus.PENDING: tr("Waiting"),
        RecordingStatus.WORKING: tr("Transcribing"),
        RecordingStatus.DONE: "",
        RecordingStatus.EMPTY: tr("No speech found"),
        RecordingStatus.FAILED: tr("Failed"),
        RecordingStatus.CANCELLED: tr("Cancelled"),
    }[recording.status]


def job_state(job: Job) -> str:
    """Return what a job is doing, in a word or two."""
    if job.status is JobStatus.RUNNING:
        return {
            JobStage.WAITING: tr("Starting"),
            JobStage.READING: tr("Reading the file"),
            JobStage.LOADING_MODEL: tr("Loading the model"),
            JobStage.TRANSCRIBING: tr("Transcribing"),
            JobStage.COOLING: tr("Waiting for the computer to cool down"),
        }[job.stage]
    return {
        JobStatus.QUEUED: tr("Waiting"),
        JobStatus.PAUSED: tr("Paused"),
        JobStatus.DONE: tr("Done"),
        JobStatus.FAILED: tr("Failed"),
        JobStatus.CANCELLED: tr("Cancelled"),
    }[job.status]


def job_progress(job: Job, left_s: float | None = None) -> str:
    """Return `Transcribing · 42 % · about 3 min left`, as much of it as is known."""
    parts = [job_state(job)]
    fraction = job.fraction
    if fraction is not None and not job.status.is_over and fraction > 0:
        parts.append(percent(fraction))
    if left_s is not None and job.status is JobStatus.RUNNING:
        parts.append(time_left(left_s))
    return " · ".join(parts)


def status_line(jobs: Sequence[Job], left_s: float | None, recordings: int) -> str:
    """Return what is going on now, or else how much the library holds."""
    parts = []
    for job in jobs:
        if job.status is JobStatus.RUNNING:
            title = " ".join(job.title.split())
            parts += [f"“{title}”", job_progress(job, left_s)]
            break
    waiting = sum(job.status is JobStatus.QUEUED for job in jobs)
    if waiting:
        parts.append(tr_plural("{count} waiting", "{count} waiting", waiting))
    paused = sum(job.status is JobStatus.PAUSED for job in jobs)
    if paused:
        parts.append(tr_plural("{count} paused", "{count} paused", paused))
    if not parts and recordings > 0:
        parts.append(tr_plural("{count} recording", "{count} recordings", recordings))
    return " · ".join(parts)


def age_name(days: int) -> str:
    """Return `after 3 months`: how old something has to be, in the largest unit that fits."""
    if days % 365 == 0:
        return tr_plural("after {count} year", "after {count} years", days // 365)
    if days % 30 == 0:
        return tr_plural("after {count} month", "after {count} months", days // 30)
    if days % 7 == 0:
        return tr_plural("after {count} week", "after {count} weeks", days // 7)
    return tr_plural("after {count} day", "after {count} days", days)


def percent(fraction: float) -> str:
    """Return `42 %` as the person's language writes it."""
    return tr("{percent} %", percent=int(fraction * 100))


def time_left(seconds: float) -> str:
    """Return about how long something still takes."""
    if seconds < 10:
        return tr("a few seconds left")
    if seconds < 55:
        return tr("about {seconds} s left", seconds=int(round(seconds / 10.0) * 10))
    if seconds < 3600:
        return tr_plural(
            "about {count} min left", "about {count} min left", max(1, round(seconds / 60))
        )
    return tr("about {time} h left", time=f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}")


def length(duration_s: float | None) -> str:
    """Return a length, or nothing while it is unknown."""
    return "" if duration_s is None else clock(duration_s)


def recording_line(recording: Recording) -> str:
    """Return `14:02 · 42:10`."""
    parts = [time_of_day(recording.created_at), length(recording.duration_s)]
    return " · ".join(part for part in parts if part)


def spoken_row(recording: Recording, job: Job | None) -> str:
    """Return what a screen reader says for a row of the list."""
    day = day_label(day_of(recording.created_at), day_of(time.time()))
    state = job_progress(job) if job and not job.status.is_over else recording_state(recording)
    parts = [title_of(recording), recording.first_line, day, recording_line(recording), state]
    if recording.error:
        parts.append(tr(recording.error))
    return ", ".join(part for part in parts if part)


def title_of(recording: Recording) -> str:
    """Return the title on one line, or a stand-in when there is none."""
    return " ".join(recording.title.split()) or tr("Untitled")


def key_name(key: QKeySequence.StandardKey | str) -> str:
    """Return a shortcut as the system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def short_path(path: Path) -> str:
    """Return a path with the home folder as `~`."""
    try:
        return "~/" + path.relative_to(Path.home()).as_posix()
    except ValueError:
        return str(path)
