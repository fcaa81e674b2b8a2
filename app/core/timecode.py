"""Seconds to the time codes of subtitles and of people, and back."""

import re

_CODE = re.compile(r"^(?:(\d{1,9}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?$")


def subtitle_time(time_s: float, decimal: str = ".") -> str:
    """Return `HH:MM:SS` + `decimal` + milliseconds; hours grow past 99 as they must."""
    total_ms = max(0, round(time_s * 1000))
    seconds, ms = divmod(total_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{decimal}{ms:03d}"


def clock(time_s: float) -> str:
    """Return `M:SS`, or `H:MM:SS` from an hour on, as a person reads it."""
    total = max(0, int(time_s))
    minutes, second = divmod(total, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"


def parse_time(code: str) -> float:
    """Return the seconds of `[H:]MM:SS[.mmm]`.

    Raises:
        ValueError: `code` is not a time code.
    """
    match = _CODE.match(code.strip())
    if not match:
        raise ValueError(f"not a time code: {code!r}")
    hour, minute, second, fraction = match.groups()
    ms = int((fraction or "0").ljust(3, "0"))
    # Divided last, so that milliseconds come back as the number they were written from.
    return (((int(hour or 0) * 60 + int(minute)) * 60 + int(second)) * 1000 + ms) / 1000
