"""Builds the bundle and holds what was built against what was promised.

Every check names what it saw; the first that fails ends the build, so that nothing broken is left
looking finished.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config.identity import MACOS_FLOOR, NAME
from bundling import macho, wheels

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
WORK = ROOT / "build" / "bundle"
IS_MAC = sys.platform == "darwin"
FOLDER = DIST / NAME.lower()  # on Linux
APP = DIST / f"{NAME}.app"
MOST_BYTES = 400_000_000  # of the Linux folder
MOST_START_S = 2.0  # from the start to the window
_STARTS = 3  # the first one reads everything from the disk
_PATIENCE_S = 600.0
MB = 1_000_000


class BuildFailed(Exception):
    """The bundle is not what was promised; the message says how."""


def say(text: str) -> None:
    print(f"bundle: {text}", file=sys.stderr, flush=True)


def prepare() -> None:
    """Make icons and notices for this build."""
    from PySide6.QtGui import QGuiApplication

    from bundling import notices

    shutil.rmtree(WORK, ignore_errors=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from bundling import icons

    application = QGuiApplication.instance() or QGuiApplication(["bundle"])
    icons.write_icons(WORK / "icons")
    del application
    found = notices.gather(notices.bundled_packages(), WORK / "notices")
    say(f"icons drawn, licences of {len(found)} parts gathered")


def run_pyinstaller() -> None:
    """Let PyInstaller build what `undertone.spec` describes."""
    log = WORK / "pyinstaller.log"
    spec = ROOT / "packaging" / "undertone.spec"
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--distpath", str(DIST)]
    environment = {**os.environ, "UNDERTONE_BUNDLE_WORK": str(WORK)}
    environment.pop("LD_PRELOAD", None)  # would be taken for a library of every program
    with log.open("w", encoding="utf-8") as out:
        done = subprocess.run(
            [*command, "--workpath", str(WORK / "pyinstaller"), str(spec)],
            env=environment,
            stdout=out, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if done.returncode:
        sys.stderr.write("".join(log.read_text("utf-8").splitlines(keepends=True)[-30:]))
        raise BuildFailed("PyInstaller failed; the end of its log is above")


def debug_carriers(folder: Path) -> list[Path]:
    """Return the libraries under a Linux bundle that may carry debugging symbols for nothing.

    Those are the interpreter and the extension modules (PyAV's are five sixths symbols). Libraries
    that were patched to find each other (`*.libs`) and Qt's stay as they are: `strip` breaks some.
    """
    inside = folder / "_internal"
    modules = [
        file
        for file in inside.rglob("*.so")
        if not file.is_symlink()
        and not file.parent.name.endswith(".libs")
        and "PySide6" not in file.parts
    ]
    return sorted([*inside.glob("libpython*.so*"), *modules])


def strip_debugging(folder: Path) -> None:
    """Take the debugging symbols out of a Linux bundle."""
    for library in debug_carriers(folder):
        subprocess.run(["strip", "--strip-debug", str(library)], check=True)


def size_of(folder: Path) -> int:
    """Return how many bytes the files under `folder` take, links not followed."""
    return sum(
        file.lstat().st_size for file in folder.rglob("*") if file.is_file() or file.is_symlink()
    )


def check_size(folder: Path, most: int | None) -> None:
    """Say how big the bundle is; beside it, what the Mac's would be.

    Raises:
        BuildFailed: it is bigger than `most`.
    """
    size = size_of(folder)
    mac = wheels.app_bytes(wheels.read_facts(), ROOT / "resources")
    beside = "" if IS_MAC else f"; the Mac's app, computed from the locked wheels: {mac // MB} MB"
    say(f"{size // MB} MB in {folder.relative_to(ROOT)}{beside}")
    if most is not None and size > most:
        raise BuildFailed(f"the folder may take {most // MB} MB and takes {size / MB:.1f} MB")


def check_self_test(program: Path) -> None:
    """Run `--self-test` of the bundle from another folder, with no Python on the path.

    Raises:
        BuildFailed: a part does not work.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(
            [str(program), "--self-test", "--cpu"],
            cwd=elsewhere, env=bare_environment(Path(elsewhere)),
            capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise BuildFailed(
            f"the self-test printed no report (status {done.returncode}): "
            f"{(done.stdout + done.stderr)[-2000:]}"
        ) from None
    for check in report["checks"]:
        mark = "ok " if check["is_ok"] else "BAD"
        say(f"  {mark} {check['name']} ({check['took_s']:.2f} s): {check['detail'][:100]}")
    if done.returncode or not report["ok"] or not report["is_frozen"]:
        raise BuildFailed("the self-test of the bundle failed")


def bare_environment(home: Path) -> dict[str, str]:
    """Return an environment without Python, sources or anybody's settings."""
    return {
        "HOME": str(home),
        "PATH": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        "UNDERTONE_HOME": str(home / "undertone"),
        "OPENBLAS_NUM_THREADS": "1",  # or they wait by spinning
    }


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Start an X server of our own and yield its name."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-noreset"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            yield f":{answer.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def start_s(program: Path, screen: str, home: Path) -> float:
    """Return how long after its start the program shows a window.

    Raises:
        BuildFailed: none appeared.
    """
    environment = {**bare_environment(home), "DISPLAY": screen}
    find = ["xdotool", "search", "--onlyvisible", "--name", NAME]
    began = time.monotonic()
    running = subprocess.Popen([str(program)], env=environment, cwd=home)
    try:
        while time.monotonic() - began < _PATIENCE_S / 10 and running.poll() is None:
            seen = subprocess.run(
                find, env={**os.environ, "DISPLAY": screen}, capture_output=True, check=False
            )
            if seen.stdout.strip():
                return time.monotonic() - began
            time.sleep(0.05)
    finally:
        running.terminate()
        running.wait()
    raise BuildFailed(f"no window appeared (status {running.returncode})")


def check_window(program: Path) -> None:
    """Open the bundle's window on a screen of its own.

    Raises:
        BuildFailed: it does not appear, or not soon enough at the best of some starts.
    """
    with virtual_screen() as screen, tempfile.TemporaryDirectory() as home:
        taken = [start_s(program, screen, Path(home)) for _ in range(_STARTS)]
    shown = ", ".join(f"{seconds:.2f}" for seconds in taken)
    say(f"the window appeared after {shown} s")
    if min(taken) > MOST_START_S:
        raise BuildFailed(f"the window may take {MOST_START_S} s")


# ---- macOS ------------------------------------------------------------------------------------


def metal_faults(app: Path) -> list[str]:
    """Return every folder where MLX would look for its Metal library in vain."""
    return [
        f"{library.relative_to(app)} has no mlx.metallib beside it"
        for library in sorted(app.rglob("libmlx.dylib"))
        if not (library.parent / "mlx.metallib").resolve().is_file()
    ]


def binaries_of(app: Path) -> list[Path]:
    """Return the Mac programs and libraries under `app`, the deepest first."""
    found = [
        file
        for file in app.rglob("*")
        if file.is_file() and not file.is_symlink() and macho.is_macho(file)
    ]
    return sorted(found, key=lambda file: (-len(file.parts), str(file)))


def floor_faults(app: Path) -> list[str]:
    """Return which binaries of the finished app would not load on the floor."""
    faults = []
    for file in binaries_of(app):
        name = str(file.relative_to(app))
        image = macho.read_image(file, name)
        if image is None:
            faults.append(f"{name}: not for arm64")
            continue
        says_too_much = "PySide6" in name or "shiboken6" in name
        faults += [
            fault
            for fault in macho.faults_of(image, MACOS_FLOOR)
            if not (says_too_much and "needs macOS 15.0" in fault)
        ]
    return faults


def check_app(app: Path) -> None:
    """Hold a finished `.app` against the floor and MLX's needs.

    Raises:
        BuildFailed: it would not run everywhere it promises to.
    """
    faults = [*metal_faults(app), *floor_faults(app)]
    if not (app / "Contents" / "Info.plist").is_file():
        faults.append("the app has no Info.plist")
    if faults:
        raise BuildFailed("; ".join(faults[:20]))
    say(f"{len(binaries_of(app))} binaries run on macOS {MACOS_FLOOR}; MLX finds its Metal library")


def build() -> Path:
    """Build, check and return the bundle."""
    prepare()
    say("PyInstaller is at work; this takes a minute or two")
    run_pyinstaller()
    if not IS_MAC:
        program = FOLDER / NAME.lower()
        strip_debugging(FOLDER)
        check_size(FOLDER, MOST_BYTES)
        check_self_test(program)
        check_window(program)
        return FOLDER
    shutil.copyfile(WORK / "icons" / "Document.icns", APP / "Contents/Resources/Document.icns")
    check_app(APP)
    return APP
