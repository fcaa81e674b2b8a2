"""What an `undertone://` link asks for.

Any web page can offer such a link, so a link can do only what is seen at once and can be undone:
record (the overlay shows it), stop, transcribe files of this computer, search.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.core.errors import AppError, mark
from app.core.recording import RecordingKind

SCHEME = "undertone"
_LONGEST_QUERY = 500  # characters


class LinkAct(StrEnum):
    """The deeds a link can ask for; the words are those of the link."""

    OPEN = "open"
    RECORD = "record"
    STOP = "stop"
    TRANSCRIBE = "transcribe"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was understood.

    Attributes:
        files: what to transcribe.
        query: what to search for.
        kind: what to record.
    """

    act: LinkAct
    files: tuple[Path, ...] = ()
    query: str = ""
    kind: RecordingKind = RecordingKind.QUICK


def is_link(text: str) -> bool:
    """Return whether `text` is meant for us."""
    return text.lower().startswith(f"{SCHEME}:")


def parse_link(text: str) -> Link:
    """Return what `undertone://transcribe?file=/a.wav` and its like ask for.

    Raises:
        AppError: it cannot be understood, or asks for what a link must not do.
    """
    try:
        parts = urlsplit(text)
        values = parse_qs(parts.query, max_num_fields=1000)
    except ValueError as error:
        raise _not_understood(text) from error
    # `undertone://record` has the word where a host would be, `undertone:record` as a path.
    word = (parts.netloc or parts.path.strip("/")).lower()
    if parts.scheme.lower() != SCHEME or word not in set(LinkAct) | {""}:
        raise _not_understood(text)
    act = LinkAct(word) if word else LinkAct.OPEN
    if act is LinkAct.RECORD:
        is_dictation = values.get("kind", [""])[-1] == RecordingKind.DICTATION
        return Link(act, kind=RecordingKind.DICTATION if is_dictation else RecordingKind.QUICK)
    if act is LinkAct.SEARCH:
        return Link(act, query=" ".join(values.get("q", [""])[-1].split())[:_LONGEST_QUERY])
    if act is LinkAct.TRANSCRIBE:
        return Link(act, files=_files(values.get("file", []), text))
    return Link(act)


def _files(names: list[str], text: str) -> tuple[Path, ...]:
    files = tuple(Path(name) for name in names)
    if not files or any("\0" in name for name in names):
        raise _not_understood(text)
    if not all(file.is_absolute() for file in files):
        raise AppError(
            mark("A link must name each file by its whole path."),
            mark("Write it as undertone://transcribe?file=/Users/you/talk.m4a."),
        )
    return files


def _not_understood(text: str) -> AppError:
    return AppError(
        mark("Undertone does not understand the link “{link}”."),
        mark("It knows undertone://record, stop, transcribe?file=… and search?q=…."),
        link=text[:80],
    )
