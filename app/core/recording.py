"""A recording: the audio asset, where it came from and how far its transcript has come."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class RecordingKind(StrEnum):
    """How the sound came in."""

    FILE = "file"
    DICTATION = "dictation"
    QUICK = "quick"


class RecordingStatus(StrEnum):
    """How far the transcript of a recording has come; each state can be left by a restart."""

    PENDING = "pending"  # the row exists, no engine has seen the sound
    WORKING = "working"
    DONE = "done"
    EMPTY = "empty"  # done, and nothing was said
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of the library's list.

    `created_at` is the wall clock in seconds since 1970 UTC and only a label; the order of ids is
    the order of making. `audio_path` is the imported file where it stands, or our copy of it.
    `error` and `hint` say, in the source language, why the transcript failed. An empty `title` is
    filled with the first words as soon as there are some. `deleted_at` is when it went to the bin.
    `app_name` is the app it was dictated into, `doubt` how many words are worth a second look, and
    `rerun_of` the recording whose sound is only transcribed once more here, out of every list.
    """

    recording_id: str
    kind: RecordingKind
    title: str
    created_at: float
    status: RecordingStatus = RecordingStatus.PENDING
    duration_s: float | None = None
    audio_path: Path | None = None
    is_copy: bool = False
    language: str | None = None
    model_id: str | None = None
    error: str | None = None
    hint: str | None = None
    first_line: str = ""
    deleted_at: float | None = None
    is_favourite: bool = False
    notes: str = ""
    folder_id: str | None = None
    app_name: str | None = None
    edited_at: float | None = None
    doubt: int = 0
    rerun_of: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the library; a recording lies in one at most."""

    folder_id: str
    name: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and how many recordings carry it."""

    name: str
    count: int = 0
