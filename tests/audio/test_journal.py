import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audio.ballast import Ballast
from app.audio.frames import HEADER_BYTES, FrameReader, Kind
from app.audio.journal import JournalWriter, SectionFormat, scan
from app.audio.journal_cursor import JournalCursor, JournalSound
from app.audio.journal_thread import JournalThread
from app.audio.ring import Ring, Samples
from app.core.errors import AppError, AudioError, DiskFull

RATE = 48_000
SOUND = SectionFormat(RATE, device_uid="uid-1", device_name="Room")


def tone(seconds: float, rate_hz: int = RATE, channels: int = 1) -> Samples:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    wave = (9000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    return np.repeat(wave[:, None], channels, axis=1)


def writer(folder: Path, **kwargs: object) -> JournalWriter:
    return JournalWriter(folder / "audio.journal", "take-1", wall_s=12.5, **kwargs)  # type: ignore[arg-type]


def append(journal: JournalWriter, sound: Samples) -> None:
    for at in range(0, len(sound), 4800):
        journal.audio(sound[at : at + 4800])


def written(folder: Path, seconds: float = 1.0, *, is_ended: bool = True) -> Path:
    journal = writer(folder)
    journal.begin_section(SOUND)
    append(journal, tone(seconds))
    if is_ended:
        journal.end("stopped")
    journal.close()
    return journal.file


def all_sound(file: Path) -> Samples:
    source = JournalSound(file)
    pieces = []
    while (piece := source.next(is_growing=False)) is not None:
        pieces.append(piece.samples)
    source.close()
    return np.concatenate(pieces)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    file = written(tmp_path, 1.0)
    found = scan(file)
    assert (found.take_id, found.wall_s, found.end_reason) == ("take-1", 12.5, "stopped")
    assert [section.sound for section in found.sections] == [SOUND]
    assert found.duration_s == 1.0
    assert (found.tail_bytes, found.damaged) == (0, 0)
    assert found == scan(file, thorough=True)
    np.testing.assert_array_equal(all_sound(file), tone(1.0))
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(AppError):
        writer(tmp_path)
    assert scan(tmp_path / "audio.journal").duration_s == 1.0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 100_000))
def test_any_cut_leaves_whole_frames_and_a_tail(tmp_path: Path, cut: int) -> None:
    source = tmp_path / "audio.journal"
    if not source.exists():
        written(tmp_path)
    whole = source.read_bytes()
    cut = min(cut, len(whole))
    part = tmp_path / "cut.journal"
    part.write_bytes(whole[:cut])
    found = scan(part)
    assert found.good_bytes + found.tail_bytes == cut
    frames = []
    descriptor = os.open(part, os.O_RDONLY)
    reader = FrameReader(descriptor)
    while (frame := reader.next()) is not None:
        frames.append(frame)
    os.close(descriptor)
    assert found.good_bytes == (frames[-1].end if frames else 0)
    samples = sum(frame.length // 2 for frame in frames if frame.kind is Kind.AUDIO)
    assert found.duration_s == samples / RATE
    if samples:
        np.testing.assert_array_equal(all_sound(part), tone(1.0)[:samples])


def test_zeros_after_a_power_cut_are_a_tail(tmp_path: Path) -> None:
    file = written(tmp_path, is_ended=False)
    with file.open("ab") as out:
        out.write(bytes(5000))
    found = scan(file)
    assert (found.duration_s, found.tail_bytes, found.end_reason) == (1.0, 5000, None)


def test_a_torn_payload_at_the_end_is_noticed_by_the_quick_scan(tmp_path: Path) -> None:
    file = written(tmp_path, is_ended=False)
    content = bytearray(file.read_bytes())
    content[-4000:] = bytes(4000)  # the header of the last frame is fine
    file.write_bytes(content)
    found = scan(file)
    assert found.duration_s == pytest.approx(0.9)
    assert found.tail_bytes == HEADER_BYTES + 9600


@pytest.mark.parametrize("at", [1, HEADER_BYTES + 1])
def test_a_damaged_stretch_inside_becomes_silence_of_its_length(tmp_path: Path, at: int) -> None:
    file = written(tmp_path)
    descriptor = os.open(file, os.O_RDONLY)
    reader = FrameReader(descriptor)
    frames = []
    while (frame := reader.next()) is not None:
        frames.append(frame)
    os.close(descriptor)
    victim = [frame for frame in frames if frame.kind is Kind.AUDIO][3]
    content = bytearray(file.read_bytes())
    content[victim.offset + at] ^= 0xFF
    file.write_bytes(content)
    found = scan(file, thorough=True)
    assert (found.damaged, found.duration_s, found.tail_bytes) == (1, 1.0, 0)
    expected = tone(1.0).copy()
    expected[3 * 4800 : 4 * 4800] = 0
    np.testing.assert_array_equal(all_sound(file), expected)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 99_000), st.integers(0, 255)), max_size=8), st.booleans())
def test_no_damage_makes_reading_fail(
    tmp_path: Path, changes: list[tuple[int, int]], thorough: bool
) -> None:
    source = tmp_path / "audio.journal"
    if not source.exists():
        written(tmp_path)
    content = bytearray(source.read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    broken = tmp_path / "broken.journal"
    broken.write_bytes(content)
    scan(broken, thorough=thorough)
    sound = JournalSound(broken)
    while sound.next(is_growing=False) is not None:
        pass
    sound.close()


def test_gaps_are_silence_and_sections_have_their_own_rate(tmp_path: Path) -> None:
    other = SectionFormat(16_000, channels=2, device_name="Headset")
    journal = writer(tmp_path)
    journal.begin_section(SOUND)
    journal.audio(tone(0.5))
    journal.begin_section(other)
    journal.gap(8000, "device")
    journal.audio(tone(0.25, 16_000, 2))
    journal.marker(Kind.PAUSE)
    journal.end("stopped")
    journal.close()
    found = scan(journal.file)
    assert found.duration_s == 1.25
    assert found.missing_s == 0.5
    assert [(marker.kind, marker.at_s) for marker in found.markers] == [
        (Kind.HEADER, 0.0),
        (Kind.DEVICE, 0.0),
        (Kind.DEVICE, 0.5),
        (Kind.GAP, 0.5),
        (Kind.PAUSE, 1.25),
        (Kind.END, 1.25),
    ]
    cursor = JournalCursor(journal.file)
    audio = cursor.read()
    assert len(audio) == 1.25 * 16_000
    assert cursor.is_finished
    assert np.all(audio[8100:15900] == 0)
    assert np.abs(audio[16_000:]).max() == pytest.approx(9000 / 32768, abs=0.001)
    assert [marker.kind for marker in cursor.markers] == [m.kind for m in found.markers]
    cursor.close()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(limits=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=20))
def test_the_cursor_gives_the_same_sound_however_it_is_read(
    tmp_path: Path, limits: list[float]
) -> None:
    file = tmp_path / "audio.journal"
    if not file.exists():
        written(tmp_path, 2.0)
    whole = JournalCursor(file)
    expected = whole.read()
    whole.close()
    cursor = JournalCursor(file)
    parts = [cursor.read(limit) for limit in limits]
    while not cursor.is_finished:
        parts.append(cursor.read(0.3))
    cursor.close()
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    assert len(expected) == 32_000


def test_the_cursor_follows_the_writer_and_never_waits(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    cursor = JournalCursor(journal.file)
    assert len(cursor.read()) == 0
    journal.begin_section(SectionFormat(16_000))
    sound = tone(1.0, 16_000)
    journal.audio(sound[:1600])
    assert len(cursor.read()) == 1600
    assert len(cursor.read()) == 0
    journal.audio(sound[1600:])
    assert len(cursor.read()) == 14_400
    was_finished = cursor.is_finished
    journal.end("stopped")
    assert len(cursor.read()) == 0
    assert (was_finished, cursor.is_finished) == (False, True)
    assert cursor.position_s == 1.0
    cursor.close()
    journal.close()


def test_a_cursor_on_a_dead_writers_journal_comes_to_its_end(tmp_path: Path) -> None:
    cursor = JournalCursor(written(tmp_path, is_ended=False))
    assert len(cursor.read(is_growing=False)) == 16_000
    assert cursor.is_finished
    cursor.close()


def full_after(allowed_bytes: int, error: int = errno.ENOSPC) -> Callable[[int, memoryview], int]:
    """Return an `os.write` that writes short and then fails."""
    left = [allowed_bytes]

    def write(descriptor: int, data: memoryview) -> int:
        if left[0] <= 0:
            raise OSError(error, os.strerror(error))
        count = os.write(descriptor, data[: min(len(data), left[0], 5000)])
        left[0] -= count
        return count

    return write


def test_a_full_disk_keeps_every_sample_that_fitted(tmp_path: Path) -> None:
    journal = writer(tmp_path, write=full_after(50_000))
    journal.begin_section(SOUND)
    sound = tone(1.0)
    with pytest.raises(DiskFull, match="disk is full"):
        append(journal, sound)
    journal.close()
    found = scan(journal.file)
    assert found.good_bytes + found.tail_bytes == 50_000
    np.testing.assert_array_equal(all_sound(journal.file), sound[: round(found.duration_s * RATE)])


def test_the_ballast_lets_a_take_be_closed_whole(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / ".ballast", 1_000_000)
    assert ballast.ensure() == 1_000_000
    write = full_after(50_000)

    def write_with_room(descriptor: int, data: memoryview) -> int:
        return os.write(descriptor, data) if not ballast.size_bytes else write(descriptor, data)

    journal = writer(tmp_path, ballast=ballast, write=write_with_room)
    journal.begin_section(SOUND)
    sound = tone(1.0)
    append(journal, sound)
    assert journal.used_ballast
    journal.end("disk full")
    journal.close()
    np.testing.assert_array_equal(all_sound(journal.file), sound)
    assert scan(journal.file).end_reason == "disk full"
    assert not ballast.file.exists()
    assert not ballast.release()


def test_room_that_comes_back_lets_the_journal_go_on(tmp_path: Path) -> None:
    first = full_after(50_000)
    is_full = [True]

    def write(descriptor: int, data: memoryview) -> int:
        return first(descriptor, data) if is_full[0] else os.write(descriptor, data)

    journal = writer(tmp_path, write=write)
    journal.begin_section(SOUND)
    with pytest.raises(DiskFull):
        journal.audio(tone(1.0))
    is_full[0] = False
    journal.end("disk full")
    journal.close()
    np.testing.assert_array_equal(all_sound(journal.file), tone(1.0))


def test_a_failing_disk_is_named(tmp_path: Path) -> None:
    journal = writer(tmp_path, write=full_after(5000, errno.EIO))
    journal.begin_section(SOUND)
    with pytest.raises(AudioError, match="Input/output error"):
        journal.audio(tone(1.0))
    journal.close()


def test_ballast_takes_only_a_share_of_what_is_free(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / ".ballast", 1 << 60)
    small = Ballast(tmp_path / ".small", 4096)
    assert small.ensure() == 4096
    assert small.ensure() == 4096
    assert ballast.size_bytes == 0


def test_the_thread_carries_ring_after_ring_and_marks_the_gap(tmp_path: Path) -> None:
    now_ns = [0]
    journal = writer(tmp_path)
    thread = JournalThread(journal, clock=lambda: now_ns[0], period_s=60, sync_period_s=0.01)
    thread.start()
    first, second = Ring(RATE), Ring(16_000)
    first.write(tone(0.5))
    now_ns[0] = 1_000_000_000
    thread.attach(first, SOUND, gap_reason="never: there is no sound before")
    thread.marker(Kind.NOTE, text="hello")
    first_done = threading.Event()
    thread._ask(first_done.set)
    assert first_done.wait(5)
    second.write(tone(0.25, 16_000))
    now_ns[0] = 3_000_000_000
    thread.attach(second, SectionFormat(16_000), gap_reason="device")
    assert thread.finish("stopped") is None
    found = scan(journal.file)
    # The last old sample was there at 1 s, the first new one at 2.75 s.
    assert found.missing_s == pytest.approx(1.75)
    assert found.duration_s == pytest.approx(0.5 + 1.75 + 0.25)
    assert found.end_reason == "stopped"
    assert journal.synced_bytes == journal.written_bytes == found.good_bytes
    kinds = [marker.kind for marker in found.markers]
    assert kinds == [Kind.HEADER, Kind.DEVICE, Kind.NOTE, Kind.DEVICE, Kind.GAP, Kind.END]


def test_an_overrun_of_the_ring_is_a_gap_of_its_exact_length(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    thread = JournalThread(journal, period_s=60)
    ring = Ring(4800)
    ring.write(tone(1.0))
    thread.start()
    thread.attach(ring, SOUND)
    assert thread.finish("stopped") is None
    found = scan(journal.file)
    assert found.missing_s == pytest.approx(0.9)
    assert found.duration_s == 1.0


def test_the_thread_reports_a_full_disk_and_keeps_what_fitted(tmp_path: Path) -> None:
    journal = writer(tmp_path, write=full_after(30_000))
    thread = JournalThread(journal, period_s=0.005)
    ring = Ring(RATE)
    ring.write(tone(0.9))
    thread.start()
    thread.attach(ring, SOUND)
    failure = thread.finish("stopped")
    assert isinstance(failure, DiskFull)
    assert thread.failure is failure
    assert scan(journal.file).good_bytes > 0


def test_the_thread_reports_a_bug_too_and_closes_the_journal(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    thread = JournalThread(journal, period_s=0.005)
    ring = Ring(RATE)
    ring.write(tone(0.5))
    thread.start()
    thread.attach(ring, SOUND)
    thread.marker(Kind.NOTE, text=object())  # not JSON
    failure = thread.finish("stopped")
    assert isinstance(failure, AudioError)
    assert thread.failure is failure
    found = scan(journal.file)
    assert (found.duration_s, found.end_reason) == (0.5, "stopped")
