"""Every guard fails a test that deserves it, names the origin, and leaves a tidy one alone."""

import os
import time
from pathlib import Path

import pytest

from tests.helpers import guards

REPOSITORY = Path(__file__).resolve().parents[2]

BAD_TESTS = """
import os, socket, sqlite3, subprocess, sys, threading, time

release = threading.Event()

def test_thread():
    threading.Thread(target=release.wait, name="forgotten").start()

def test_daemon():
    threading.Thread(target=release.wait, args=(30,), name="ghost", daemon=True).start()

def test_child():
    global child
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])

def test_zombie():
    global zombie
    zombie = subprocess.Popen(["true"])

def test_connection():
    sqlite3.connect(":memory:").execute("select 1")

def test_network():
    socket.create_connection(("192.0.2.1", 9), timeout=0.01)

def test_network_swallowed():
    try:
        socket.socket().connect(("192.0.2.1", 9))
    except Exception:
        pass

def test_lookup():
    socket.getaddrinfo("example.org", 80)

def test_file():
    open(__file__)

def test_file_in_a_cycle():
    box = [open(__file__)]
    box.append(box)

def test_last_lets_go():
    release.set()
    child.kill(), child.wait(), zombie.wait()
"""

TIDY_TESTS = """
import os, socket, sqlite3, subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor

import pytest

homes = set()

def test_all_closed():
    homes.add(os.environ["UNDERTONE_HOME"])
    with ThreadPoolExecutor(2) as pool:
        pool.submit(print)
    subprocess.run(["true"], check=True)
    connection = sqlite3.connect(":memory:")
    connection.close()
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    ours, theirs = socket.socketpair()
    ours.close(), theirs.close()

def test_thread_that_ends_a_little_later():
    threading.Timer(0.05, print).start()

def test_own_home_and_screen():
    home = os.environ["UNDERTONE_HOME"]
    assert home not in homes and not os.path.exists(home)
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"

def test_no_heavy_import():
    assert "mlx.core" not in sys.modules and "PySide6" not in sys.modules

@pytest.fixture(scope="module")
def server():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    connection = sqlite3.connect(":memory:")
    with subprocess.Popen(["sleep", "60"]) as process:
        yield
        process.kill()
    connection.close()
    done.set()
    thread.join()

def test_a_wider_fixture_may_begin_in_a_test_and_outlive_it(request):
    request.getfixturevalue("server")

def test_after_it():
    pass
"""

MICROPHONE_TESTS = """
def test_microphone():
    import sounddevice
    sounddevice.InputStream()
"""


@pytest.fixture
def sandbox(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makeconftest(
        """
import sys

pytest_plugins = ["tests.helpers.guards"]

def pytest_configure():
    sys.modules["tests.helpers.guards"].GRACE_S = 0.2
"""
    )
    return pytester


def run(sandbox: pytest.Pytester, *more: str) -> pytest.RunResult:
    return sandbox.runpytest_subprocess("-p", "no:pytest-qt", "-p", "no:xdist", *more)


def test_bad_tests_fail_and_name_the_origin(sandbox: pytest.Pytester) -> None:
    sandbox.makepyfile(test_bad=BAD_TESTS)
    result = run(sandbox)
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] + outcomes["errors"] >= 10
    text = result.stdout.str()
    for expected in (
        "thread “forgotten” still runs, started at *test_bad.py:6",
        "daemon thread “ghost” still runs, started at *test_bad.py:9",
        "child process * still exists, started at *test_bad.py:13",
        "nobody waited for) still exists, started at *test_bad.py:17",
        "connection is still open, opened at *test_bad.py:20",
        "looked up '192.0.2.1': tests have no network at *test_bad.py:23",
        "connected to ('192.0.2.1', 9): tests have no network at *test_bad.py:27",
        "looked up 'example.org': tests have no network at *test_bad.py:32",
    ):
        result.stdout.fnmatch_lines_random(f"*{expected.replace('[', '[[]')}*")
    for name in ("thread", "daemon", "child", "zombie", "connection", "network_swallowed"):
        assert f"ERROR test_bad.py::test_{name}" in text, name
    for name in ("network", "lookup", "file", "file_in_a_cycle"):
        assert (
            f"FAILED test_bad.py::test_{name}" in text or f"ERROR test_bad.py::test_{name}" in text
        )
    assert "test_last_lets_go" not in text.split("short test summary")[1]


def test_tidy_tests_pass(sandbox: pytest.Pytester) -> None:
    sandbox.makepyfile(test_tidy=TIDY_TESTS)
    run(sandbox).assert_outcomes(passed=6)


def test_microphone_is_locked_outside_e2e(sandbox: pytest.Pytester) -> None:
    sandbox.makepyfile(test_microphone=MICROPHONE_TESTS)
    result = run(sandbox)
    result.stdout.fnmatch_lines("*Forbidden: opened a sound device: only tests/e2e may*")


def test_serial_tests_run_alone(sandbox: pytest.Pytester) -> None:
    sandbox.makeini("[pytest]\nmarkers = serial\n")
    sandbox.makeconftest('pytest_plugins = ["tests.helpers.turns"]')
    sandbox.makepyfile(
        test_turns="""
import os, time
from pathlib import Path
import pytest

@pytest.fixture
def others(tmp_path_factory):
    folder = tmp_path_factory.getbasetemp().parent / "running"
    folder.mkdir(exist_ok=True)
    mine = folder / str(os.getpid())
    mine.touch()
    yield folder
    mine.unlink()

@pytest.mark.parametrize("number", range(12))
def test_shared(others, number):
    time.sleep(0.01)

@pytest.mark.serial
@pytest.mark.parametrize("number", range(4))
def test_alone(others, number):
    for _ in range(10):
        assert len(list(others.iterdir())) == 1
        time.sleep(0.005)
"""
    )
    result = sandbox.runpytest_subprocess("-p", "no:pytest-qt", "-n", "2")
    result.assert_outcomes(passed=16)


def test_guard_is_cheap(request: pytest.FixtureRequest) -> None:
    started = time.process_time()
    for _ in range(100):
        guards._children()
        guards._leaked_children({})
        guards._open_connections()
    assert (time.process_time() - started) / 100 < 0.002
    assert "UNDERTONE_HOME" in os.environ
