"""Kill whoever writes the library, at random moments, and look what is left.

    python -m tests.faults.kill_library --rounds 500

Five loops: a writer that acknowledges each commit on a pipe, two writers at once of which one is
killed, an editor that saves each edit and takes in transcripts, the real migration from the first
schema, and one that makes a table anew. After each kill the library must open, be whole, and hold
every commit that was acknowledged. `tests.faults.kill_copies` has the loops of backup, restore and
archive; `run` runs both.
This process forks its victims, so it starts no thread while one lives.
"""

import argparse
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.config.paths import Paths
from app.core.job import Job
from app.core.recording import Recording, RecordingKind
from app.core.transcript import Segment, Word
from app.library import schema
from app.library.connection import open_writable
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.search import ListQuery
from app.library.writer import LibraryWriter

_LONGEST_S = 0.25  # of a victim's life after its first acknowledgement
_OLD_ROWS = 3_000

_STEP = (
    "CREATE TABLE segments_new AS SELECT *, 0 AS edited FROM segments",
    "DROP TABLE words",
    "DROP TABLE segments",
    "ALTER TABLE segments_new RENAME TO segments",
    "CREATE TABLE words (recording, seq, texts, numbers)",
)


@dataclass(slots=True)
class Result:
    """What came out; every fault is named."""

    kills: int = 0
    acknowledged: int = 0
    kept: int = 0
    migrated: int = 0
    slowest_open_s: float = 0.0
    faults: list[str] | None = None

    def fault(self, text: str) -> None:
        self.faults = [*(self.faults or []), text]


def acknowledge(pipe: int, text: str) -> None:
    os.write(pipe, f"{text}\n".encode())


def _say(key: str, window: int, part: int) -> Segment:
    start_s = window + part / 4
    word = Word("said", start_s, start_s + 0.1, 0.5)
    return Segment(start_s, start_s + 0.2, f"said {key} {window} {part}", (word,))


def _write_for_ever(paths: Paths, pipe: int, name: str) -> None:
    """Add recordings and segments and say so after each commit."""
    with Owner.take(paths) as owner, LibraryWriter(paths.library, lambda _: None) as writer:
        number = 0
        while True:
            key = f"{name}-{number}"
            recording = Recording(f"r{key}", RecordingKind.FILE, f"title {key}", time.time())
            job = Job(f"j{key}", recording.recording_id, recording.title, "nano", "auto")
            writer.add_recording(recording, job).result()
            acknowledge(pipe, f"{key} 0")
            writer.claim_job(job.job_id, owner).result()
            for window in range(1, 9):
                segments = [_say(key, window, part) for part in range(3)]
                writer.append_segments(
                    job.job_id, recording.recording_id, segments, float(window)
                ).result()
                acknowledge(pipe, f"{key} {window}")
            number += 1


def fork(work: Callable[[int], None]) -> tuple[int, int]:
    """Run `work` with a pipe to write to in a child; return its id and the pipe to read."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            work(write)
        finally:
            os._exit(0)
    os.close(write)
    return child, read


def _kill(child: int, pipe: int, result: Result) -> list[str]:
    """Let the child live a random while, kill it, and return the lines it wrote."""
    select.select([pipe], [], [], 30.0)
    time.sleep(random.random() * _LONGEST_S)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    result.kills += 1
    chunks = []
    while chunk := os.read(pipe, 65_536):
        chunks.append(chunk)
    os.close(pipe)
    return b"".join(chunks).decode().split("\n")[:-1]


def look(file: Path, result: Result) -> None:
    """Open the library as the app does and check all that can be checked."""
    began = time.monotonic()
    connection = open_writable(file)
    result.slowest_open_s = max(result.slowest_open_s, time.monotonic() - began)
    try:
        if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
            result.fault("quick_check")
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            result.fault("foreign keys")
        connection.execute(
            "INSERT INTO documents_search (documents_search, rank) VALUES ('integrity-check', 1)"
        )
        odd = connection.execute(
            "SELECT COUNT(*) FROM jobs j JOIN recordings r USING (recording_id) WHERE j.done_s <> "
            "(SELECT COUNT(*) / 3 FROM segments WHERE recording = r.number)"
        ).fetchone()[0]
        if odd:
            result.fault(f"{odd} jobs do not fit their segments")
    except sqlite3.Error as error:
        result.fault(f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def _compare(file: Path, acknowledged: dict[str, int], result: Result) -> None:
    with LibraryReader(file) as reader:
        for key, window in acknowledged.items():
            found = reader.segment_count(f"r{key}") if reader.recording(f"r{key}") else -1
            if found < 3 * window:
                result.fault(f"{key}: {window} windows acknowledged, {found} segments found")
            result.kept += max(0, found)
        if acknowledged and not reader.search(ListQuery(f'"title {next(iter(acknowledged))}"')):
            result.fault("search does not find an acknowledged title")


def kill_writers(rounds: int, folder: Path, writers: int = 1) -> Result:
    """Kill one of `writers` processes `rounds` times; the others end by a kill as well."""
    result = Result()
    paths = Paths(folder / f"home-{writers}")
    for number in range(rounds):
        if number % 20 == 0:  # a fresh one now and then, so that making it is killed too
            shutil.rmtree(paths.home, ignore_errors=True)
        children = [
            fork(lambda pipe, n=f"{number}.{which}": _write_for_ever(paths, pipe, n))  # type: ignore[misc]
            for which in range(writers)
        ]
        acknowledged: dict[str, int] = {}
        for child, pipe in children:
            lines = _kill(child, pipe, result)
            result.acknowledged += len(lines)
            for line in lines:
                key, window = line.split(" ")
                acknowledged[key] = max(acknowledged.get(key, 0), int(window))
        look(paths.library, result)
        _compare(paths.library, acknowledged, result)
        with Owner.take(paths) as owner:
            leftover = [file for file in paths.owners.iterdir() if file.name != owner.token]
        if leftover:
            result.fault("a dead owner was not swept")
    return result


_EDITED = 12  # segments of the text that is edited


def _edit_for_ever(paths: Paths, pipe: int, name: str) -> None:
    """Replace a growing and shrinking text, import others, and say so after each commit."""
    with LibraryWriter(paths.library, lambda _: None) as writer:
        edited = Recording(f"e{name}", RecordingKind.FILE, "edited", time.time())
        first = [_say(f"{name} 0", 0, part) for part in range(_EDITED)]
        writer.add_finished(edited, first).result()
        number = 0
        while True:
            number += 1
            new = [_say(f"{name} {number}", 0, part) for part in range(_EDITED + number % 3)]
            writer.splice_segments(edited.recording_id, 0, None, new).result()
            acknowledge(pipe, f"{name} {number}")
            taken = Recording(f"i{name}-{number}", RecordingKind.FILE, "taken", time.time())
            writer.add_finished(taken, first).result()
            if number % 5 == 0:
                writer.move_to_bin([taken.recording_id]).result()


def kill_editors(rounds: int, folder: Path) -> Result:
    """Kill a process that edits and imports, `rounds` times; no text may be half of two."""
    result = Result()
    paths = Paths(folder / "home-edits")
    for number in range(rounds):
        name = f"n{number}"
        child, pipe = fork(lambda pipe, name=name: _edit_for_ever(paths, pipe, name))  # type: ignore[misc]
        lines = _kill(child, pipe, result)
        result.acknowledged += len(lines)
        look(paths.library, result)
        with LibraryReader(paths.library) as reader:
            texts = [each.text for each in reader.transcript(f"e{name}").segments]
            seen = {text.split()[2] for text in texts}
            count = int(seen.pop()) if len(seen) == 1 else -1
            wanted = _EDITED + count % 3 if count else _EDITED
            if count < len(lines) or len(texts) != wanted:
                result.fault(f"{name}: {len(lines)} edits acknowledged, found {seen} {len(texts)}")
            found = reader.ids() + reader.ids(ListQuery(is_binned=True))
            halves = [key for key in found if reader.segment_count(key) < _EDITED]
            if halves:
                result.fault(f"half imported: {halves}")
            if texts and not reader.ids(ListQuery(f'"{name} {count}"')):
                result.fault("search does not find what was edited last")
            result.kept += len(found)
    return result


def _fill(file: Path) -> list[tuple[object, ...]]:
    connection = open_writable(file)
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO recordings (recording_id, kind, title, created_at, status) "
        "VALUES ('r', 'file', 't', 0, 'done')"
    )
    for seq in range(_OLD_ROWS):
        connection.execute(
            "INSERT INTO segments (recording, seq, start_s, end_s, text, crc) "
            "VALUES (1, ?, ?, ?, ?, 0)",
            (seq, seq, seq + 1, f"text {seq} " * 30),
        )
    connection.execute("COMMIT")
    rows = connection.execute("SELECT seq, text FROM segments ORDER BY seq").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return rows


@dataclass(slots=True)
class Victim:
    """Kills one piece of work again and again, at random moments of the time it takes."""

    result: Result
    longest_s: float = 0.0

    def kill(self, work: Callable[[], object]) -> bool:
        """Run `work` in a child, kill it, and return whether it had come to its end.

        The first time it is let through, to know how long it takes here and now.
        """

        def run(pipe: int) -> None:
            acknowledge(pipe, "begun")
            work()
            acknowledge(pipe, "done")

        child, pipe = fork(run)
        select.select([pipe], [], [], 30.0)
        began = time.monotonic()
        if self.longest_s:
            time.sleep(random.random() * self.longest_s)
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = os.read(pipe, 64).decode().split()
        os.close(pipe)
        is_done = "done" in lines
        if self.longest_s:
            self.result.kills += 1
            self.result.acknowledged += is_done
            self.longest_s *= 0.85 if is_done else 1.05  # so that most kills come in its midst
        else:
            self.longest_s = 1.2 * (time.monotonic() - began)
            if not is_done:
                self.result.fault("what was let through did not come to its end")
        return is_done


def _fresh_home(folder: Path, old: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    file = folder / "library.sqlite"
    shutil.copy(old, file)
    return file


def kill_migrations(rounds: int, folder: Path) -> Result:
    """Kill a process inside a migration that rebuilds a table, `rounds` times."""
    result = Result()
    old = folder / "old.sqlite"
    rows = _fill(old)
    released = schema.MIGRATIONS
    victim = Victim(result)
    for number in range(rounds + 1):
        file = _fresh_home(folder / "migrating", old)

        def migrate(file: Path = file) -> None:
            schema.MIGRATIONS = (*released, _STEP)
            schema.SCHEMA_VERSION = len(released) + 1
            open_writable(file).close()

        is_done = victim.kill(migrate)
        if number:
            _look_at_migrated(file, rows, len(released), result)
        elif not is_done:
            break
    return result


_FIRST_RECORDINGS = 800


def _fill_first(file: Path) -> None:
    """Make a library as the first schema had it, with its search index."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN")
    for statement in schema.MIGRATIONS[0]:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    for number in range(1, _FIRST_RECORDINGS + 1):
        connection.execute(
            "INSERT INTO recordings (recording_id, kind, title, created_at, status, "
            "indexed_segments) VALUES (?, 'file', ?, ?, 'done', 4)",
            (f"r{number}", f"title {number}", number),
        )
        for seq in range(4):
            text = f"text {number} {seq} " * 10
            connection.execute(
                "INSERT INTO segments (recording, seq, start_s, end_s, text, crc) "
                "VALUES (?, ?, ?, ?, ?, 0)",
                (number, seq, seq, seq + 1, text),
            )
        body = "".join(f"{f'text {number} {seq} ' * 10}\n" for seq in range(4))
        connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?)", (number, f"title {number}", body)
        )
    connection.execute("INSERT INTO documents_search (documents_search) VALUES ('rebuild')")
    connection.execute("COMMIT")
    connection.close()


def kill_first_migration(rounds: int, folder: Path) -> Result:
    """Kill a process that opens a library of the first schema, `rounds` times."""
    result = Result()
    old = folder / "first.sqlite"
    _fill_first(old)
    rows = _rows_of_first(old)
    victim = Victim(result)
    for _ in range(rounds + 1):
        file = _fresh_home(folder / "migrating-first", old)
        victim.kill(lambda file=file: open_writable(file).close())  # type: ignore[misc]
        connection = sqlite3.connect(file)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        columns = [row[1] for row in connection.execute("PRAGMA table_info(recordings)")]
        connection.close()
        if version not in (1, schema.SCHEMA_VERSION) or ("notes" in columns) != (version > 1):
            result.fault(f"version {version} with columns {columns}")
        result.migrated += version > 1
        kept = file.with_name(f"library.before-v{schema.SCHEMA_VERSION}.sqlite")
        if kept.exists() and _rows_of_first(kept) != rows:
            result.fault("the copy from before the migration is not whole")
        look(file, result)  # opens it as the app does, and so ends the migration
        if _rows_of_first(file) != rows:
            result.fault("rows differ")
        with LibraryReader(file) as reader:
            if len(reader.search(ListQuery('"title 77"'))) != 1:
                result.fault("search does not find what was there before")
        result.kept += 1
    return result


def _rows_of_first(file: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(
            "SELECT recording_id, title, created_at, seq, start_s, text FROM recordings "
            "JOIN segments ON recording = number ORDER BY number, seq"
        ).fetchall()
    finally:
        connection.close()


def _look_at_migrated(
    file: Path, rows: list[tuple[object, ...]], old_version: int, result: Result
) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        columns = [row[1] for row in connection.execute("PRAGMA table_info(segments)")]
        is_new = "edited" in columns
        if version not in (old_version, old_version + 1) or is_new != (version > old_version):
            result.fault(f"version {version} with columns {columns}")
        if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
            result.fault("quick_check")
        if connection.execute("SELECT seq, text FROM segments ORDER BY seq").fetchall() != rows:
            result.fault("rows differ")
        result.migrated += is_new
        result.kept += 1
    finally:
        connection.close()


def run(rounds: int) -> str:
    """Run all loops in processes of their own and return what came out in one line.

    Raises:
        AssertionError: something was lost; names what.
    """
    results = {
        **_alone("kill_library", rounds),
        **_alone("kill_copies", max(2, min(60, rounds // 8))),
    }
    kills = sum(result["kills"] for result in results.values())
    acknowledged = sum(result["acknowledged"] for result in results.values())
    if not acknowledged or min(result["kills"] for result in results.values()) < 1:
        raise AssertionError(f"nothing was tried: {results}")
    slowest_ms = 1000 * max(result["slowest_open_s"] for result in results.values())
    each = ", ".join(f"{name} {result['kills']}" for name, result in results.items())
    return (
        f"{kills} kills ({each}), {acknowledged} commits, none lost; "
        f"slowest opening {slowest_ms:.0f} ms"
    )


def _alone(name: str, rounds: int) -> dict[str, dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.faults.{name}", "--rounds", str(rounds)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork must find no other thread
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise AssertionError(ended.stdout + ended.stderr)
    found: dict[str, dict[str, Any]] = json.loads(ended.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        results = {
            "one writer": kill_writers(chosen.rounds, Path(folder)),
            "two writers": kill_writers(max(1, chosen.rounds // 4), Path(folder), writers=2),
            "edits": kill_editors(max(1, chosen.rounds // 2), Path(folder)),
            "migration": kill_first_migration(max(1, chosen.rounds // 4), Path(folder)),
            "table made anew": kill_migrations(max(1, chosen.rounds // 8), Path(folder)),
        }
    return told(results)


def told(results: dict[str, Result]) -> int:
    """Print what came out, and return 1 when something was lost."""
    print(json.dumps({name: asdict(result) for name, result in results.items()}, indent=1))
    return 1 if any(result.faults for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
