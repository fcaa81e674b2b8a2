"""Names for rows and folders: UUIDs whose order is the order of making."""

import os
import time
import uuid


def new_id() -> str:
    """Return a fresh UUID version 7 as text.

    Source: RFC 9562, section 5.7 (48 bits of Unix milliseconds, then random bits).
    """
    ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (ms & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def names_a_folder(recording_id: str) -> bool:
    """Whether an id, which may come from an archive, can be the name of one folder and no other."""
    return recording_id not in {"", ".", ".."} and not {"/", "\0"} & set(recording_id)


def time_of_id(made: str) -> float:
    """Return when an id of ours was made, in seconds since 1970; 0 for any other text."""
    try:
        found = uuid.UUID(made)
    except ValueError:
        return 0.0
    return (found.int >> 80) / 1000 if found.version == 7 else 0.0
