"""Links are understood, and can ask for nothing but what is seen at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import AppError
from app.core.links import Link, LinkAct, is_link, parse_link
from app.core.recording import RecordingKind


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("undertone://record", Link(LinkAct.RECORD, kind=RecordingKind.QUICK)),
        ("undertone:record", Link(LinkAct.RECORD)),
        ("UNDERTONE://Record/?kind=dictation", Link(LinkAct.RECORD, kind=RecordingKind.DICTATION)),
        ("undertone://record?kind=file", Link(LinkAct.RECORD, kind=RecordingKind.QUICK)),
        ("undertone://stop", Link(LinkAct.STOP)),
        ("undertone://", Link(LinkAct.OPEN)),
        ("undertone://search?q=the%20river", Link(LinkAct.SEARCH, query="the river")),
        ("undertone://search", Link(LinkAct.SEARCH)),
        (
            "undertone://transcribe?file=/a%20b.wav&file=/c.mp3",
            Link(LinkAct.TRANSCRIBE, files=(Path("/a b.wav"), Path("/c.mp3"))),
        ),
    ],
)
def test_links_are_understood(text: str, link: Link) -> None:
    assert is_link(text)
    assert parse_link(text) == link


@pytest.mark.parametrize(
    "text",
    [
        "undertone://erase",
        "undertone://transcribe",
        "undertone://transcribe?file=",
        "undertone://transcribe?file=../secret.wav",
        "undertone://transcribe?file=https://example.org/a.wav",
        "undertone://transcribe?file=/a%00b.wav",
        "undertone://[",
        "https://example.org",
    ],
)
def test_what_is_not_understood_is_a_sentence(text: str) -> None:
    with pytest.raises(AppError) as caught:
        parse_link(text)
    assert str(caught.value)
    assert caught.value.hint.source


def test_a_long_query_is_cut() -> None:
    assert len(parse_link(f"undertone://search?q={'a' * 9_000}").query) == 500


PIECES = ["/", "//", "?", "&", "=", "#", ":", "%", "%00", "..", "[", "]", "@", " ", "\0", "é", "a"]
WORDS = [*PIECES, "record", "transcribe", "search", "file", "q", "kind", "/etc/passwd"]


@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_nothing_hostile_gets_further_than_a_sentence(rest: str) -> None:
    try:
        link = parse_link(f"undertone:{rest}")
    except AppError:
        return
    assert all(file.is_absolute() for file in link.files)
