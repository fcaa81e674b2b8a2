"""`undertone library`: what was said, listed, shown, searched, exported, removed."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import library_care, retranscribe
from app.cli.backups import add_backup_verbs, add_restore_words, restore_backup
from app.cli.output import complain, print_json, print_table
from app.config.paths import default_paths
from app.config.translate import tr, tr_plural
from app.core.errors import AppError, LibraryError, mark
from app.core.recording import Recording, RecordingStatus
from app.core.timecode import clock

if TYPE_CHECKING:
    from app.library.reader import LibraryReader
    from app.library.search import SearchHit

_MANY = 1_000_000  # more than any library holds


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `library` and its verbs."""
    from app.export import FORMATS

    top = verbs.add_parser("library", help=tr("list, show, search, export and remove transcripts"))
    kinds = top.add_subparsers(dest="library_verb", required=True, metavar=tr("VERB"))

    listing = kinds.add_parser("list", help=tr("newest first"))
    listing.add_argument("--bin", action="store_true", help=tr("what is in the bin"))
    listing.add_argument("--limit", type=_number, default=_MANY, metavar="N")
    listing.set_defaults(run=_list)

    show = kinds.add_parser("show", help=tr("one transcript"))
    show.add_argument("id", metavar="ID", help=tr("an id from the list, or its beginning or end"))
    show.set_defaults(run=_show)

    search = kinds.add_parser("search", help=tr("find words, “phrases” and beginnings of words"))
    search.add_argument("text", nargs="+", metavar=tr("WORD"))
    search.add_argument("--limit", type=_number, default=50, metavar="N")
    search.set_defaults(run=_search)

    for verb in (listing, show, search):
        verb.add_argument("--json", action="store_true", help=tr("print JSON"))

    export = kinds.add_parser("export", help=tr("write transcripts to files"))
    export.add_argument("ids", nargs="+", metavar="ID")
    export.add_argument("--format", default="txt", choices=tuple(FORMATS))
    export.add_argument("--output", default="-", metavar=tr("PATH"), help=tr("file, folder or -"))
    export.add_argument(
        "--name", default="", metavar=tr("TEMPLATE"), help=tr("as in “{date} {title}”")
    )
    export.add_argument("--no-speakers", action="store_true", help=tr("leave the names out"))
    times = export.add_mutually_exclusive_group()
    times.add_argument("--times", action="store_true", default=None, help=tr("with times"))
    times.add_argument("--no-times", dest="times", action="store_false", help=tr("without times"))
    export.add_argument("--line-length", type=int, default=42, metavar="N")
    export.add_argument("--cue-lines", type=int, default=2, metavar="N")
    export.add_argument(
        "--reading-speed", type=float, default=None, metavar="N", help=tr("characters a second")
    )
    export.set_defaults(run=_export)

    remove = kinds.add_parser("remove", help=tr("move transcripts to the bin"))
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.add_argument("--for-good", action="store_true", help=tr("erase; imported files stay"))
    remove.set_defaults(run=_remove, back=False)
    back = kinds.add_parser(
        "restore", help=tr("take transcripts out of the bin, or the whole library from a backup")
    )
    back.add_argument("ids", nargs="*", metavar="ID")
    add_restore_words(back)
    back.set_defaults(run=_restore, back=True)

    taken = kinds.add_parser("import", help=tr("take in a transcript with its sound"))
    taken.add_argument("transcript", metavar=tr("TRANSCRIPT"), help=tr("an srt, vtt or json file"))
    taken.add_argument("--sound", metavar=tr("FILE"), help=tr("else beside it by the same name"))
    taken.set_defaults(run=_import)

    retranscribe.add_verb(kinds)
    add_backup_verbs(kinds)

    rebuild = kinds.add_parser(
        "rebuild", help=tr("bring back what lies in the recordings' folders and is not in the list")
    )
    rebuild.set_defaults(run=_rebuild)
    library_care.add_verbs(kinds)


def _number(text: str) -> int:
    """Return a count SQLite can take; more than there is means all of it."""
    return min(max(int(text), 0), _MANY)


def open_reader() -> "LibraryReader":
    """Open the library to read.

    Raises:
        LibraryError: there is none.
    """
    from app.library.reader import LibraryReader

    paths = default_paths()
    if not paths.library.exists():
        raise LibraryError(
            mark("There is no library yet in {folder}."),
            mark("Transcribe a file first: undertone transcribe FILE."),
            folder=str(paths.home),
        )
    return LibraryReader(paths.library)


def find_recording(reader: "LibraryReader", wanted: str) -> Recording:
    """Return the one recording whose id is, begins or ends with `wanted`.

    Raises:
        LibraryError: there is none, or more than one.
    """
    from app.library.search import ListQuery

    wanted = os.fsencode(wanted).decode("utf-8", "replace")  # a shell passes on any bytes
    exact = reader.recording(wanted)
    if exact is not None:
        return exact
    ids = [
        key
        for query in (ListQuery(), ListQuery(is_binned=True))
        for key in reader.ids(query)
        if wanted and (key.startswith(wanted) or key.endswith(wanted))  # a script's unset variable
    ]
    found = [recording for key in ids if (recording := reader.recording(key)) is not None]
    if len(found) == 1:
        return found[0]
    raise LibraryError(
        mark("No transcript has the id “{wanted}”.")
        if not found
        else mark("{count} transcripts have an id like “{wanted}”."),
        mark("See the ids with: undertone library list."),
        wanted=wanted,
        count=len(found),
    )


def _list(options: argparse.Namespace) -> int:
    from app.library.search import ListQuery

    if not default_paths().library.exists():
        if options.json:
            print_json([])
        return 0
    reader = open_reader()
    try:
        query = ListQuery(is_binned=options.bin)
        recordings = reader.recordings(query, 0, options.limit)
    finally:
        reader.close()
    if options.json:
        print_json(recordings)
        return 0
    print_table(
        (
            recording.recording_id,
            _date(recording.created_at),
            clock(recording.duration_s) if recording.duration_s else "–",
            _status(recording),
            recording.title,
        )
        for recording in recordings
    )
    return 0


def _date(created_at: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(created_at))
    except (OverflowError, ValueError, OSError):  # out of a foreign archive: no calendar has it
        return "–"


def _status(recording: Recording) -> str:
    return {
        RecordingStatus.PENDING: tr("waiting"),
        RecordingStatus.WORKING: tr("in work"),
        RecordingStatus.DONE: tr("done"),
        RecordingStatus.EMPTY: tr("nothing said"),
        RecordingStatus.FAILED: tr("failed"),
        RecordingStatus.CANCELLED: tr("cancelled"),
    }[recording.status]


def _show(options: argparse.Namespace) -> int:
    reader = open_reader()
    try:
        recording = find_recording(reader, options.id)
        transcript = reader.transcript(recording.recording_id)
    finally:
        reader.close()
    if options.json:
        print_json({"recording": recording, "transcript": transcript})
        return 0
    print(recording.title)
    if recording.error:
        print(f"{recording.error} {recording.hint or ''}".rstrip())
    for segment in transcript.segments:
        print(f"{clock(segment.start_s):>8}  {segment.text}")
    return 0


def _search(options: argparse.Namespace) -> int:
    from app.library.search import ListQuery

    reader = open_reader()
    try:
        hits = reader.search(ListQuery(" ".join(options.text)), 0, options.limit)
    finally:
        reader.close()
    if options.json:
        print_json(hits)
        return 0
    for hit in hits:
        at = clock(hit.start_s) if hit.start_s is not None else ""
        print(f"{hit.recording.recording_id}  {hit.recording.title}  {at}")
        print(f"    {_snippet(hit)}")
    if not hits:
        print(tr("Nothing found."), file=sys.stderr)
    return 0


def _snippet(hit: "SearchHit") -> str:
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    return "".join(
        f"{bold}{piece.text}{plain}" if piece.is_match else piece.text for piece in hit.snippet
    )


def _export(options: argparse.Namespace) -> int:
    from app.cli.transcribe import Outlet
    from app.export import ExportOptions

    chosen = ExportOptions(
        has_speakers=not options.no_speakers,
        has_times=options.times,
        line_length=min(max(options.line_length, 10), 400),
        cue_lines=min(max(options.cue_lines, 1), 10),
        reading_speed=options.reading_speed,
    )
    is_single = len(options.ids) == 1
    outlet = Outlet(options.output, options.format, is_single, chosen, options.name)
    reader = open_reader()
    try:
        found = [find_recording(reader, wanted) for wanted in options.ids]
        outlet.prepare()
        for recording in found:
            outlet.write(recording, reader.transcript(recording.recording_id))
    finally:
        reader.close()
    return 0


def _rebuild(_options: argparse.Namespace) -> int:
    from app.pipeline.rebuild import rebuild

    rebuilt = rebuild(default_paths())
    if rebuilt.set_aside is not None:
        print(tr("The damaged library is kept as {path}.", path=rebuilt.set_aside), file=sys.stderr)
    for problem in rebuilt.problems:
        complain(problem)
    for title in rebuilt.titles:
        print(title)
    print(
        tr_plural(
            "{count} recording was brought back.",
            "{count} recordings were brought back.",
            len(rebuilt.titles),
        ),
        file=sys.stderr,
    )
    return 1 if rebuilt.problems else 0


def _bin(options: argparse.Namespace) -> int:
    """Move transcripts to the bin, or back out of it."""
    from app.library.writer import LibraryWriter

    reader = open_reader()
    try:
        found = [find_recording(reader, wanted) for wanted in options.ids]
    finally:
        reader.close()
    with LibraryWriter(default_paths().library, on_change=lambda _change: None) as writer:
        ids = [recording.recording_id for recording in found]
        (writer.restore(ids) if options.back else writer.move_to_bin(ids)).result()
    said = tr("Put back: {title}") if options.back else tr("In the bin: {title}")
    for recording in found:
        print(said.format(title=recording.title), file=sys.stderr)
    return 0


def _restore(options: argparse.Namespace) -> int:
    """Take transcripts out of the bin, or everything from a backup."""
    if options.backup is not None:
        return restore_backup(options)
    if not options.ids:
        raise LibraryError(
            mark("Nothing was named to restore."),
            mark("Name transcripts of the bin, or restore a backup with --backup."),
        )
    return _bin(options)


def _import(options: argparse.Namespace) -> int:
    from app.library.writer import LibraryWriter
    from app.pipeline.importing import check_file
    from app.pipeline.transcripts import import_transcript, sound_of

    sound = Path(options.sound) if options.sound else sound_of(Path(options.transcript))
    with LibraryWriter(default_paths().library, on_change=lambda _change: None) as writer:
        made = import_transcript(Path(options.transcript), sound, check_file, writer)
    print(made.recording_id)
    return 0


def _remove(options: argparse.Namespace) -> int:
    from app.library.writer import LibraryWriter
    from app.pipeline.removing import remove_recordings

    if not options.for_good:
        return _bin(options)
    reader = open_reader()
    try:
        found = [find_recording(reader, wanted) for wanted in options.ids]
    finally:
        reader.close()
    writer = LibraryWriter(default_paths().library, on_change=lambda _change: None)
    try:
        ids = [recording.recording_id for recording in found]
        remove_recordings(writer, default_paths(), ids)
    except AppError as error:
        complain(error)
        return 1
    finally:
        writer.close()
    for recording in found:
        print(tr("Removed: {title}", title=recording.title), file=sys.stderr)
    return 0
