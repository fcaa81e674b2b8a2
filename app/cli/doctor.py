"""`undertone doctor`: what is wrong on this machine, and what to do about it."""

import argparse

from app.cli.output import print_json
from app.config.paths import Paths, default_paths
from app.config.settings import Settings, load_settings
from app.config.translate import tr, tr_phrase
from app.core.errors import AppError
from app.core.finding import Finding, Severity


def add_verb(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor`."""
    verb = verbs.add_parser(
        "doctor",
        help=tr("look for faults and say what to do"),
        description=tr(
            "Exit status: 0 when nothing is broken, 1 when something is. On a Mac the permissions "
            "seen here are those of the terminal; the app looks at its own under Help → Check."
        ),
    )
    verb.add_argument(
        "--listen", action="store_true", help=tr("open the microphone and say whether it is heard")
    )
    verb.add_argument("--json", action="store_true", help=tr("print JSON"))
    verb.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from app.pipeline.doctor import worst_first

    found = worst_first(_examine(is_listening=options.listen))
    is_broken = any(finding.severity is not Severity.NOTE for finding in found)
    if options.json:
        print_json(
            [
                {
                    "kind": finding.kind,
                    "severity": finding.severity,
                    "message": tr_phrase(finding.message),
                    "hint": tr_phrase(finding.hint),
                }
                for finding in found
            ]
        )
        return int(is_broken)
    names = {
        Severity.ERROR: tr("Broken"),
        Severity.WARNING: tr("Warning"),
        Severity.NOTE: tr("Note"),
    }
    for finding in found:
        print(f"{names[finding.severity]}: {tr_phrase(finding.message)}")
        print(f"    {tr_phrase(finding.hint)}")
    if not is_broken:
        print(tr("Nothing is broken."))
    return int(is_broken)


def _examine(*, is_listening: bool) -> list[Finding]:
    from app.audio.microphone import PortAudioMicrophone
    from app.audio.portaudio import PortAudio
    from app.macos import hotkey, permissions, secure_input
    from app.pipeline.doctor import examine
    from app.pipeline.surroundings import Surroundings, listen, look_around, trial_of_hotkeys

    paths = default_paths()
    on_disk = examine(paths)
    # Loading sets an unreadable file aside, and a doctor changes nothing.
    is_readable = all(finding.kind != "settings_unreadable" for finding in on_disk)
    settings = load_settings(paths.settings) if is_readable else Settings()
    portaudio = PortAudio()
    around = Surroundings(
        portaudio,
        settings,
        permissions.for_this_system(),
        secure_input.for_this_system(),
        lambda: trial_of_hotkeys(
            hotkey.for_this_system, settings, is_app_running=_is_app_running(paths)
        ),
    )
    found = [*on_disk, *look_around(around)]
    if is_listening:
        found += listen(around, PortAudioMicrophone(portaudio))
    return found


def _is_app_running(paths: Paths) -> bool:
    """Return whether another process has the library open, as the app does."""
    from app.library.lock import LibraryLock

    if not paths.library_lock.exists():
        return False
    try:
        lock = LibraryLock.take(paths.library_lock)
    except AppError:
        return False  # told by what looks at the folder
    if lock is None:
        return True
    lock.release()
    return False
