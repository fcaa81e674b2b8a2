"""The child process that decodes one media file: 16 kHz mono float32 into a pipe.

A hostile file can break this process only: it starts with an empty environment, knows one path,
limits its own memory and time before the first media library is loaded, and ends when the pipe to
its parent does. What it sends is a row of records, each one byte of kind, four bytes of length and
that many bytes: a header, blocks of sound, and one end or one error.
"""

import json
import os
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.audio.decode_sources import Source
    from app.core.packing import Audio

HEADER, BLOCK, END, ERROR = b"H", b"P", b"E", b"X"
PREFIX = struct.Struct("<cI")
BLOCK_SAMPLES = 64_000  # 4 s: few wake-ups, little memory
OVERTIME_S = 1.0  # encoders pad: a file of exactly the longest length must pass
LEAST_BITS_A_SECOND = 20  # no codec writes less, even of silence: the header lies
EXIT_MEMORY = 77
_WATCH_S = 0.1


def main() -> int:
    """Read one request from standard input, answer on standard output, and end."""
    out = _quiet_outputs()
    request: dict[str, Any] = json.loads(_read_line(0))
    _limit(request)
    threading.Thread(target=_watch, args=(request["memory_bytes"],), daemon=True).start()
    with suppress(BrokenPipeError):
        # Heavy, so only now, behind the limits.
        from app.audio.decode_sources import Refused

        try:
            _decode(request, out)
        except Refused as refusal:
            _send(out, ERROR, json.dumps({"kind": refusal.kind}).encode())
        except MemoryError:
            _send(out, ERROR, b'{"kind": "memory"}')
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001
            # The net of this process: media libraries raise far more than their own errors
            # (UnicodeDecodeError, ValueError, OSError …), and each means the file is bad.
            record = {"kind": "damaged", "cause": type(error).__name__}
            _send(out, ERROR, json.dumps(record).encode())
    # Interpreter shutdown after a hostile file is one more thing that could hang.
    os._exit(0)


def _decode(request: dict[str, Any], out: int) -> None:
    """Send header, blocks and end of the requested file."""
    from app.audio.decode_sources import Refused, open_source

    path = os.fsdecode(bytes.fromhex(request["path"]))
    source = open_source(path, request["streams"])
    limit_s: float = request["duration_s"] + OVERTIME_S
    duration_s = source.duration_s
    n_bits = os.stat(path).st_size * 8  # noqa: PTH116 - may hold bytes that are no text
    if duration_s is not None and n_bits < duration_s * LEAST_BITS_A_SECOND:
        duration_s = None
    if duration_s is not None and source.is_duration_exact and duration_s > limit_s:
        raise Refused("too_long")
    header = {
        "duration_s": duration_s,
        "rate_hz": source.rate_hz,
        "channels": source.channels,
        "format": source.format,
        "title": source.title,
        "has_video": source.has_video,
    }
    _send(out, HEADER, json.dumps(header).encode())
    if request["is_probe"]:
        return
    sent = 0
    for block in _even_blocks(source):
        sent += len(block)
        if sent > limit_s * 16_000:
            raise Refused("too_long")
        _send(out, BLOCK, block.tobytes())
    if sent == 0:
        raise Refused("damaged" if source.is_damaged else "no_sound")
    end = {"samples": sent, "is_truncated": source.is_damaged, "peak_bytes": memory_peak_bytes()}
    _send(out, END, json.dumps(end).encode())


def _even_blocks(source: "Source") -> "Iterator[Audio]":
    """Yield the source's sound in equal, clean blocks, the last one shorter."""
    import numpy as np

    held: list[Audio] = []
    n_held = 0
    for piece in source.pieces():
        held.append(piece)
        n_held += len(piece)
        if n_held < BLOCK_SAMPLES:
            continue
        joined = np.concatenate(held)
        whole = n_held - n_held % BLOCK_SAMPLES
        for start in range(0, whole, BLOCK_SAMPLES):
            yield np.clip(joined[start : start + BLOCK_SAMPLES], -1.0, 1.0)
        held = [joined[whole:]]
        n_held -= whole
    if n_held:
        yield np.clip(np.concatenate(held), -1.0, 1.0)


def _limit(request: dict[str, Any]) -> None:
    """Cap what this process may take; where the system can't, `_watch` does."""
    import resource

    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 1 << 20,  # no disk is filled; Python may keep compiled modules
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CPU: request["cpu_s"],
    }
    if sys.platform == "linux":  # macOS accepts and ignores it
        limits[resource.RLIMIT_DATA] = request["memory_bytes"]
    for what, most in limits.items():
        _soft, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _watch(memory_bytes: int) -> None:
    """End this process when the parent is gone or the memory is more than agreed.

    PR_SET_PDEATHSIG would not do: it fires when the parent's *thread* that started us ends, and
    the parent's threads come from a pool. The parent holds our standard input open instead.
    """
    import select

    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    while True:
        if poll.poll(_WATCH_S * 1000) and not os.read(0, 1):
            os._exit(1)
        if memory_peak_bytes() > memory_bytes:
            os._exit(EXIT_MEMORY)


def memory_peak_bytes() -> int:
    """Return the most memory this process ever held.

    On Linux `ru_maxrss` starts from the *parent's* peak after an exec, so it does not serve.
    """
    try:
        with open("/proc/self/status", "rb") as status:  # noqa: PTH123 - no pathlib this early
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except FileNotFoundError:  # macOS, where the next line is right
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _quiet_outputs() -> int:
    """Keep the pipe for our records alone: a library's print goes nowhere."""
    out = os.dup(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)
    return out


def _read_line(fd: int) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(fd, 1)
        if not byte:
            os._exit(1)
        line += byte
    return bytes(line)


def _send(out: int, kind: bytes, payload: bytes) -> None:
    view = memoryview(PREFIX.pack(kind, len(payload)) + payload)
    while view:
        view = view[os.write(out, view) :]


if __name__ == "__main__":
    sys.exit(main())
