"""Watches every connection of the app with the offline switch on: none may leave this machine.

The command line and the window do all they can do, a download among it, under strace; every
`connect` and every addressed `send` of every process and thread is read.

    python -m tests.faults.offline
    python -m tests.faults.offline --tests                           the test run itself, watched
    python -m tests.faults.offline --tests tests/models tests/cli    a part of it
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.config.settings import Settings, save_settings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.ui.main import App

ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "tests" / "data" / "speech"
_CALLS = "connect,sendto,sendmsg,sendmmsg"
_ADDRESS = re.compile(
    r'sa_family=(AF_INET6?).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")'
)


def outside(trace: str) -> list[str]:
    """Return the lines of a trace in which something is sent beyond this machine."""
    found = []
    for line in trace.splitlines():
        for _family, four, six in _ADDRESS.findall(line):
            address = four or six
            if not (address.startswith("127.") or address in ("::1", "0.0.0.0", "::")):
                found.append(line)
    return found


def watched(command: list[str], home: Path, folder: Path) -> tuple[int, str, list[str]]:
    """Run `command` under strace; return its status, what it said and what left the machine."""
    trace = folder / "trace"
    strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={_CALLS}", "-o", str(trace)]
    done = subprocess.run(
        [*strace, *command],
        cwd=ROOT,
        env={**os.environ, "UNDERTONE_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    lines = trace.read_text(errors="replace")
    trace.unlink()
    return done.returncode, done.stdout + done.stderr, outside(lines)


def window(clip: Path) -> None:
    """Open the app, transcribe a file, look at every settings page, ask for a download, end."""
    from PySide6.QtWidgets import QApplication

    from app.config.paths import default_paths
    from app.ui.main import App

    application = QApplication(["undertone"])
    app = App(default_paths())
    try:
        _use(app, application, clip)
    finally:
        app.close()


def _use(app: "App", application: "QApplication", clip: Path) -> None:
    from PySide6.QtTest import QTest

    app.open([clip])
    app.window.show_models()
    top = next(w for w in application.topLevelWidgets() if hasattr(w, "models_panel"))
    for at in range(top.pages.count()):  # type: ignore[attr-defined]
        top.choose_page(at)  # type: ignore[attr-defined]
        QTest.qWait(50)
    panel = top.models_panel
    panel._on_act("get", "whisper-tiny")
    assert panel.banners.banner("error") is not None, "a download was not refused"
    for _ in range(3000):
        QTest.qWait(100)
        if any(job.status.is_over for job in app.commands.jobs):
            break
    assert all(job.status.is_over for job in app.commands.jobs), "the file was not transcribed"


def run() -> str:
    """Do everything offline; raise `AssertionError` if a byte was sent."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home, clip = folder / "home", folder / "clip.flac"
        shutil.copy(SPEECH / "en-01.flac", clip)
        save_settings(Settings(offline=True), home / "settings.json")
        cli = [sys.executable, "-m", "app"]
        steps: list[tuple[list[str], int]] = [
            ([*cli, "transcribe", str(SPEECH / "en-02.flac")], 0),
            ([*cli, "models", "get", "whisper-tiny"], 1),
            ([*cli, "models", "get", "somebody/some-model"], 1),
            ([*cli, "models", "verify"], 0),
            ([*cli, "models", "recommend"], 0),
            ([sys.executable, "-m", "tests.faults.offline", "--window", str(clip)], 0),
        ]
        for command, expected in steps:
            status, said, sent = watched(command, home, folder)
            print(f"{' '.join(command[2:5])}: {len(sent)} sent", file=sys.stderr, flush=True)
            assert status == expected, f"{command[2:]}: {said}"
            assert not sent, f"{command[2:]} sent something: {sent[:3]}"
            if "get" in command:
                assert "offline" in said, said
    return f"{len(steps)} runs, 0 connects beyond loopback"


def run_tests(names: list[str]) -> str:
    """Watch `./run test`, all of it or some."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        save_settings(Settings(offline=True), home / "settings.json")
        status, said, sent = watched([str(ROOT / "run"), "test", *names], home, folder)
    assert not sent, sent[:5]
    if status:
        print(said, file=sys.stderr)
    assert status == 0, f"0 connects beyond loopback, but the tests ended with {status}"
    return f"{said.strip().splitlines()[-1]}; 0 connects beyond loopback"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--window", type=Path)
    words.add_argument("--tests", nargs="*")
    given = words.parse_args()
    if given.window:
        window(given.window)
    elif given.tests is not None:
        print(run_tests(given.tests))
    else:
        print(run())


if __name__ == "__main__":
    main()
