"""Guards around every test: it gets a home of its own and leaves nothing behind.

A test fails when it reaches for the network or (outside `tests/e2e`) for the microphone, or when it
leaves a thread, a child process or an open database connection behind; the message names where that
came from. Opened things are noticed through Python's audit hook, so a quiet test costs almost
nothing.
"""

import contextlib
import gc
import importlib.abc
import importlib.machinery
import itertools
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

GRACE_S = 1.0  # how long a thread or a child may take to end after its test

_HERE = str(Path(__file__).resolve())
_STANDARD = str(Path(os.__file__).resolve().parent)
_SPAWNS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty"}
_STAYS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


class Forbidden(RuntimeError):
    """A test reached for something it must not touch."""


@dataclass(slots=True)
class Seen:
    """What happened since the current test began. Owner: the guard fixture."""

    connections: list[tuple[sqlite3.Connection, str]] = field(default_factory=list)
    spawned_at: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    may_use_devices: bool = False
    # What a module's or the session's own fixtures started meanwhile; it ends with them.
    kept_threads: set[threading.Thread] = field(default_factory=set)
    kept_children: set[int] = field(default_factory=set)


_seen = Seen()
_count = itertools.count()
_platform = os.environ.get("QT_QPA_PLATFORM")  # the person's own, for tests/e2e
_started_at: dict[int, str] = {}  # thread object's id → where it was started
_start_thread = threading.Thread.start


def _origin() -> str:
    """Return `file:line` of the nearest caller that is not Python's own library."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        is_ours = name != _HERE and not name.startswith("<")
        if is_ours and (not name.startswith(_STANDARD) or "site-packages" in name):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown place"


def _start_and_remember(thread: threading.Thread) -> None:
    _started_at[id(thread)] = _origin()
    _start_thread(thread)


def _is_local(family: int, address: object) -> bool:
    import socket

    if family == getattr(socket, "AF_UNIX", -1) or not isinstance(address, tuple):
        return True
    return _is_loopback(address[0])


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return host in (None, "", "localhost", "::1", "0.0.0.0", "::") or str(host).startswith("127.")


def _forbid(what: str) -> None:
    _seen.forbidden.append(f"{what} at {_origin()}")
    raise Forbidden(what)


def _on_audit(event: str, args: tuple[Any, ...]) -> None:
    if event == "sqlite3.connect/handle":
        _seen.connections.append((args[0], _origin()))
    elif event in _SPAWNS:
        _seen.spawned_at.append(_origin())
    elif event == "socket.connect":
        if not _is_local(args[0].family, args[1]):
            _forbid(f"connected to {args[1]!r}: tests have no network")
    elif event == "socket.getaddrinfo" and not _is_loopback(args[0]):
        _forbid(f"looked up {args[0]!r}: tests have no network")


class _MicrophoneGuard(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Puts a lock on sounddevice's streams whenever it is imported."""

    def __init__(self) -> None:
        self._inner: importlib.abc.Loader | None = None

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "sounddevice":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        self._inner = spec.loader
        spec.loader = self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        assert self._inner is not None
        self._inner.exec_module(module)
        _lock_microphone(module)


def _lock_microphone(sounddevice: Any) -> None:
    open_stream = sounddevice._StreamBase.__init__

    def refuse(self: object, *args: Any, **kwargs: Any) -> None:
        if not _seen.may_use_devices:
            _forbid("opened a sound device: only tests/e2e may")
        open_stream(self, *args, **kwargs)

    sounddevice._StreamBase.__init__ = refuse


def pytest_configure(config: pytest.Config) -> None:
    if threading.Thread.start is _start_and_remember:
        return
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    setattr(threading.Thread, "start", _start_and_remember)  # noqa: B010  # mypy forbids the plain form
    sys.addaudithook(_on_audit)
    if "sounddevice" in sys.modules:
        _lock_microphone(sys.modules["sounddevice"])
    else:
        sys.meta_path.insert(0, _MicrophoneGuard())


def _leaked_threads(before: set[threading.Thread]) -> list[str]:
    deadline = time.monotonic() + GRACE_S
    leaked = []
    for thread in threading.enumerate():
        if thread in before | _seen.kept_threads or not _is_running(thread):
            continue
        if not isinstance(thread, threading._DummyThread):
            thread.join(max(0.0, deadline - time.monotonic()))
        else:
            while _is_running(thread) and time.monotonic() < deadline:
                time.sleep(0.005)
        if _is_running(thread):
            started = _started_at.get(id(thread), "a native thread")
            kind = "daemon thread" if thread.daemon else "thread"
            leaked.append(f"{kind} “{thread.name}” still runs, started at {started}")
    return leaked


def _is_running(thread: threading.Thread) -> bool:
    """Return whether the thread lives; Python 3.11 keeps foreign threads listed after their end."""
    if not isinstance(thread, threading._DummyThread):
        return thread.is_alive()
    tasks = Path("/proc/self/task")
    return tasks.is_dir() and (tasks / str(thread.native_id)).exists()


def _children() -> dict[int, str]:
    """Return the command line of every child process by its id."""
    found: dict[int, str] = {}
    own = Path("/proc/self/task")
    if own.is_dir():
        for task in own.iterdir():
            with contextlib.suppress(OSError):
                for pid in (task / "children").read_text().split():
                    raw = Path(f"/proc/{pid}/cmdline").read_bytes()
                    found[int(pid)] = raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()
        return found
    table = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True)
    for line in table.stdout.splitlines():
        pid, parent, *command = line.split(None, 2)
        if int(parent) == os.getpid() and not "".join(command).startswith("ps -axo"):
            found[int(pid)] = "".join(command)
    return found


def _leaked_children(before: dict[int, str]) -> list[str]:
    if not _seen.spawned_at:
        return []
    places = list(dict.fromkeys(_seen.spawned_at))
    deadline = time.monotonic() + GRACE_S
    while True:
        multiprocessing.active_children()  # reaps those that have ended
        subprocess._cleanup()  # type: ignore[attr-defined]
        left = {
            pid: command or "an ended process nobody waited for"
            for pid, command in _children().items()
            if pid not in before.keys() | _seen.kept_children
            and not any(name in command for name in _STAYS)
        }
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return [
        f"child process {pid} ({command[:120]}) still exists, started at {' or '.join(places)}"
        for pid, command in left.items()
    ]


def _open_connections() -> list[str]:
    leaked = []
    for connection, place in _seen.connections:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed, as it should be
            _ = connection.total_changes
            leaked.append(f"a database connection is still open, opened at {place}")
    return leaked


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
    """Keep apart what outlives the test on purpose: what wider fixtures start during it."""
    if fixturedef.scope == "function":
        return (yield)
    seen = _seen
    threads = set(threading.enumerate())
    n_connections, n_spawned = len(seen.connections), len(seen.spawned_at)
    try:
        return (yield)
    finally:
        seen.kept_threads |= set(threading.enumerate()) - threads
        del seen.connections[n_connections:]
        if len(seen.spawned_at) > n_spawned:
            seen.kept_children |= _children().keys()


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _guard(request: pytest.FixtureRequest, _homes: Path) -> Iterator[None]:
    """Give the test its own home, and fail it for what it leaves behind."""
    global _seen
    is_e2e = "e2e" in request.path.parts
    _seen = Seen(may_use_devices=is_e2e)
    threads = set(threading.enumerate())
    children = _children() if sys.platform == "linux" else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERTONE_HOME", str(_homes / str(next(_count))))
        if is_e2e and _platform is None:
            patch.delenv("QT_QPA_PLATFORM")
        yield
        gc.collect(1)  # what the test dropped says so now, under its name
    faults = _seen.forbidden + _leaked_threads(threads) + _leaked_children(children)
    faults += _open_connections()
    _seen = Seen()
    if faults:
        pytest.fail("this test left something behind:\n  " + "\n  ".join(faults), pytrace=False)
