"""`undertone library check`, `salvage` and `retention`: what keeps the library well."""

import argparse
import re
import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.cli.output import ProgressLine, complain, print_json, print_table
from app.config.paths import default_paths
from app.config.settings import Settings, load_settings, save_settings
from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import LibraryLocked, SettingsError, mark
from app.core.recording import RecordingKind
from app.core.retention import Due, Rule, Takes, lines_of, rules_from, with_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.config.paths import Paths
    from app.core.finding import Finding
    from app.library.lock import Owner
    from app.library.reader import LibraryReader
    from app.library.writer import LibraryWriter

_UNITS = {"": 1, "d": 1, "w": 7, "m": 30, "y": 365}
_KEEP = "keep"


def add_verbs(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs to those of `library`."""
    check = kinds.add_parser(
        "check",
        help=tr("look at everything in the library and mend what can be mended"),
        description=tr(
            "Exit status: 0 when all is well now, 1 when something is left for you to do."
        ),
    )
    check.add_argument("--json", action="store_true", help=tr("print JSON"))
    check.set_defaults(run=_check)

    rescue = kinds.add_parser(
        "salvage", help=tr("make a damaged library anew from all that can be read; keeps the old")
    )
    rescue.add_argument("--force", action="store_true", help=tr("even when nothing is damaged"))
    rescue.set_defaults(run=_salvage)

    rules = kinds.add_parser(
        "retention",
        help=tr("rules that put old recordings away"),
        description=tr(
            "Without words: show the rules. With a kind and what to do: say how many recordings "
            "that would put away now, and with --yes switch it on. Favourites are never touched."
        ),
    )
    rules.add_argument("kind", nargs="?", choices=[str(kind) for kind in RecordingKind])
    rules.add_argument(
        "takes",
        nargs="?",
        choices=(_KEEP, str(Takes.SOUND), str(Takes.ALL)),
        help=tr("keep: no rule. sound: only the sound goes. all: into the bin"),
    )
    rules.add_argument("after", nargs="?", metavar="AGE", help=tr("as in 30d, 4w, 6m or 1y"))
    rules.add_argument(
        "--bin", metavar="AGE", help=tr("erase what has lain in the bin for so long; 0 never")
    )
    rules.add_argument("--yes", action="store_true", help=tr("switch it on"))
    rules.add_argument("--now", action="store_true", help=tr("run the rules now"))
    rules.set_defaults(run=_retention)


@contextmanager
def _opened(paths: "Paths") -> "Iterator[tuple[LibraryWriter, LibraryReader, Owner]]":
    from app.library.lock import LibraryLock, Owner
    from app.library.reader import LibraryReader
    from app.library.writer import LibraryWriter

    lock = LibraryLock.take(paths.library_lock)
    try:
        with (
            LibraryWriter(paths.library, lambda _change: None, lock=lock, watch_s=None) as writer,
            LibraryReader(paths.library) as reader,
            Owner.take(paths) as owner,
        ):
            yield writer, reader, owner
    finally:
        if lock is not None:
            lock.release()


def _check(options: argparse.Namespace) -> int:
    from app.pipeline.library_check import LibraryCheck

    paths = default_paths()
    if not paths.library.exists() and not paths.recordings.exists():
        print(tr("There is nothing to check yet."), file=sys.stderr)
        return 0
    with _opened(paths) as (writer, reader, owner):
        report = LibraryCheck(paths, writer, reader, owner, _told(tr("Checking"))).run()
    if options.json:
        print_json(
            {
                "mended": [_plain(finding) for finding in report.mended],
                "open": [_plain(finding) for finding in report.open],
                "needs_salvage": report.needs_salvage,
            }
        )
    else:
        for finding in report.mended:
            print(f"{tr('Mended')}: {tr_phrase(finding.message)}")
        for finding in report.open:
            print(f"{tr('Left for you')}: {tr_phrase(finding.message)}")
            print(f"    {tr_phrase(finding.hint)}")
        if report.is_clean:
            print(tr("All is well."))
    return 1 if report.open else 0


def _plain(finding: "Finding") -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "message": tr_phrase(finding.message),
        "hint": tr_phrase(finding.hint),
    }


def _salvage(options: argparse.Namespace) -> int:
    from app.pipeline.salvage import is_damaged, salvage_library

    paths = default_paths()
    if not paths.library.exists():
        print(tr("There is no library file in {folder}.", folder=paths.home), file=sys.stderr)
        return 1
    if not options.force and not is_damaged(paths):
        print(tr("The library file is whole, so there is nothing to salvage."), file=sys.stderr)
        return 0
    outcome = salvage_library(paths, _told(tr("Reading")))
    for problem in outcome.rebuilt.problems:
        complain(problem)
    found = outcome.salvaged
    print(
        tr_plural(
            "{count} recording is in the new library.",
            "{count} recordings are in the new library.",
            outcome.count,
        )
    )
    for said, titles in (
        (tr("From their folders"), found.completed if found else []),
        (tr("Text is missing; transcribe again"), found.incomplete if found else []),
        (tr("Compare with the sound"), found.unsure if found else []),
    ):
        for title in titles:
            print(f"{said}: {title}")
    print(tr("The damaged file is kept as {path}.", path=outcome.set_aside), file=sys.stderr)
    return 0


def _told(what: str) -> Callable[[float], None]:
    """Return what shows the progress on one line of standard error."""
    line = ProgressLine()

    def show(fraction: float) -> None:
        line.write(tr("{what} {percent} %", what=what, percent=int(fraction * 100)), fraction)
        if fraction >= 1:
            line.end()

    return show


# The rules


def _retention(options: argparse.Namespace) -> int:
    from app.library.lock import is_used_by_another
    from app.pipeline.retention import Retention

    paths = default_paths()
    settings = load_settings(paths.settings)
    wanted = _wanted(options, settings)
    with _opened(paths) as (writer, reader, owner):
        if (options.yes or options.now) and is_used_by_another(paths, owner):
            raise LibraryLocked(
                mark("Undertone is running."),
                mark("Change the rules in its settings under Library, or quit it first."),
            )
        retention = Retention(paths, writer, reader, lambda: wanted)
        due = retention.preview(rules_from(wanted.retention))
        in_bin = retention.preview_bin(wanted.bin_keeps_days)
        _show(wanted, due, in_bin)
        if wanted != settings and not options.yes:
            print(tr("Nothing was changed. Say --yes to switch it on."), file=sys.stderr)
            return 0
        if wanted != settings:
            save_settings(wanted, paths.settings)
        if options.now or wanted != settings:
            ran = retention.run(is_confirmed=True)
            print(_ran(ran.moved, ran.erased), file=sys.stderr)
    return 0


def _wanted(options: argparse.Namespace, settings: Settings) -> Settings:
    """Return the settings as the words ask for them."""
    if options.kind is not None:
        kind = RecordingKind(options.kind)
        rule = None
        if options.takes is None or (options.takes != _KEEP and options.after is None):
            raise SettingsError(
                mark("A rule says what to take and after how long."),
                mark("As in: undertone library retention dictation all 30d."),
            )
        if options.takes != _KEEP:
            rule = Rule(kind, Takes(options.takes), max(1, _days(options.after)))
        rules = with_rule(rules_from(settings.retention), kind, rule)
        settings = settings.changed(retention=lines_of(rules))
    if options.bin is not None:
        settings = settings.changed(bin_keeps_days=_days(options.bin))
    return settings


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})([dwmy]?)", text.strip().lower())
    if found is None:
        raise SettingsError(
            mark("“{text}” is no length of time."),
            mark("Say it as in 30d, 4w, 6m or 1y."),
            text=text,
        )
    return min(int(found[1]) * _UNITS[found[2]], 36_500)


def _show(settings: Settings, due: Due, in_bin: int) -> None:
    rules = {rule.kind: rule for rule in rules_from(settings.retention)}
    rows = []
    for kind in RecordingKind:
        rule = rules.get(kind)
        if rule is None:
            rows.append((str(kind), tr("kept"), ""))
            continue
        said = tr("into the bin") if rule.takes is Takes.ALL else tr("only the sound")
        rows.append((str(kind), said, tr("after {days} days", days=rule.days)))
    keeps = settings.bin_keeps_days
    emptied = tr("after {days} days", days=keeps) if keeps else tr("never")
    print_table([*rows, ("bin", tr("erased"), emptied)])
    print(
        tr_plural(
            "{count} recording would move to the bin now.",
            "{count} recordings would move to the bin now.",
            len(due.recordings),
        )
    )
    print(
        tr_plural(
            "{count} recording would lose its sound now.",
            "{count} recordings would lose their sound now.",
            len(due.sounds),
        )
    )
    print(
        tr_plural(
            "{count} in the bin would be erased for good now.",
            "{count} in the bin would be erased for good now.",
            in_bin,
        )
    )


def _ran(moved: Due, erased: int) -> str:
    return tr(
        "Moved to the bin: {moved}. Without sound now: {sounds}. Erased: {erased}.",
        moved=len(moved.recordings),
        sounds=len(moved.sounds),
        erased=erased,
    )
