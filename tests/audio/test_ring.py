import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.ring import Ring, RingReader, Samples


def counted(start: int, count: int, channels: int = 1) -> Samples:
    """Samples whose value tells their absolute index."""
    values = (np.arange(start, start + count) % 30011).astype(np.int16)
    return np.repeat(values[:, None], channels, axis=1)


operations = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 70)),
        st.tuples(st.just("read"), st.integers(0, 70)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(capacity=st.integers(1, 32), channels=st.integers(1, 3), steps=operations)
def test_a_reader_gets_what_was_written_or_the_exact_loss(
    capacity: int, channels: int, steps: list[tuple[str, int]]
) -> None:
    ring = Ring(capacity, channels)
    reader = RingReader(ring)
    written = expected_next = lost = 0
    for kind, amount in steps:
        if kind == "write":
            ring.write(counted(written, amount, channels))
            written += amount
            continue
        chunk = reader.read(amount)
        missing = max(written - capacity - expected_next, 0)
        assert chunk.lost == missing
        lost += missing
        expected_next += missing
        assert chunk.start == expected_next
        assert len(chunk.samples) == min(amount, written - expected_next)
        np.testing.assert_array_equal(
            chunk.samples, counted(chunk.start, len(chunk.samples), channels)
        )
        expected_next += len(chunk.samples)
        assert (reader.position, reader.lost) == (expected_next, lost)
        assert reader.waiting == written - expected_next
    assert ring.written == written


@given(cuts=st.lists(st.integers(1, 400), max_size=30))
def test_any_chunking_within_capacity_is_lossless(cuts: list[int]) -> None:
    ring = Ring(1000)
    reader = RingReader(ring)
    parts = []
    position = 0
    for cut in cuts:
        ring.write(counted(position, cut))
        position += cut
        parts.append(reader.read().samples)
    got = np.concatenate(parts) if parts else counted(0, 0)
    np.testing.assert_array_equal(got, counted(0, position))


def test_readers_are_independent_and_may_start_in_the_past() -> None:
    ring = Ring(100)
    ring.write(counted(0, 60))
    late, early = RingReader(ring), RingReader(ring, start=10)
    ring.write(counted(60, 20))
    assert late.read().start == 60
    np.testing.assert_array_equal(early.read().samples, counted(10, 70))


def test_what_is_handed_out_is_a_copy() -> None:
    ring = Ring(8)
    ring.write(counted(0, 8))
    kept = ring.read(0, 8).samples
    ring.write(counted(8, 8))
    np.testing.assert_array_equal(kept, counted(0, 8))


def test_nonsense_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Ring(0)


def test_a_racing_writer_never_tears_what_a_reader_gets() -> None:
    """The writer laps the reader all the time; what is handed out is whole and in its place."""
    ring = Ring(4096)
    total = 2_000_000
    source = counted(0, 30011 + 4096)

    def write() -> None:
        position = 0
        while position < total:
            at = position % 30011
            ring.write(source[at : at + 1500])
            position += 1500

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    writer = threading.Thread(target=write)
    reader = RingReader(ring)
    try:
        writer.start()
        while writer.is_alive() or reader.waiting:
            chunk = reader.read()
            first = chunk.start % 30011
            expected = (first + np.arange(len(chunk.samples))) % 30011
            np.testing.assert_array_equal(chunk.samples[:, 0], expected)
    finally:
        sys.setswitchinterval(interval)
        writer.join()
    assert reader.position == ring.written
