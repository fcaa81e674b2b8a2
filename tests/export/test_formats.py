import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.timecode import parse_time
from app.core.transcript import Segment, Transcript, Word
from app.export import FORMATS, ExportDocument
from app.export.document import one_line
from tests.export.documents import CREATED_AT, GOLDEN

DATA = Path(__file__).parents[1] / "data" / "export"

TEXT_FORMATS = [name for name, each in FORMATS.items() if not each.is_binary]
PARTS = ["-->", "\n", "\n\n", "1", "<b>", "&amp;", "a", " ", "00:00:01,000", "\r", "WEBVTT"]
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PARTS), max_size=12).map("".join),
)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    segments = []
    place = 0.0
    for _ in range(draw(st.integers(0, 4))):
        text = draw(TEXTS)
        length = draw(st.floats(0, 20))
        spoken = text.split()
        step = length / max(1, len(spoken))
        words = tuple(
            Word(said, place + n * step, place + (n + 1) * step, draw(st.floats(0, 1)))
            for n, said in enumerate(spoken)
        )
        has_words = draw(st.booleans())
        speaker = draw(st.none() | st.text(min_size=1, max_size=5))
        confidence = draw(st.none() | st.floats(0, 1))
        segments.append(
            Segment(place, place + length, text, words if has_words else (), confidence, speaker)
        )
        place += length
    return Transcript(
        tuple(segments), draw(st.none() | st.just("de")), draw(st.none() | st.just("m"))
    )


def export(document: ExportDocument, format_id: str) -> str:
    file = io.StringIO()
    FORMATS[format_id].write(document, file)
    return file.getvalue()


def document_of(transcript: Transcript) -> ExportDocument:
    return ExportDocument("T", CREATED_AT, 9.0, transcript)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("format_id", TEXT_FORMATS)
def test_exports_are_what_they_were(format_id: str) -> None:
    """Compare byte for byte; after a wanted change, delete the file and run once."""
    file = DATA / f"golden{FORMATS[format_id].suffix}"
    text = export(GOLDEN, format_id)
    if not file.exists():
        file.write_text(text, encoding="utf-8", newline="\n")
        pytest.fail(f"{file.name} was made; look at it and run again")
    assert text.encode() == file.read_bytes()


def from_json(text: str) -> ExportDocument:
    held = json.loads(text)
    assert held["format"] == "undertone-transcript"
    assert held["version"] == 1
    segments = tuple(
        Segment(
            each["start_s"], each["end_s"], each["text"],
            tuple(Word(**word) for word in each["words"]), each["confidence"], each["speaker"],
        )
        for each in held["segments"]
    )  # fmt: skip
    return ExportDocument(
        held["title"],
        datetime.fromisoformat(held["created_at"]).timestamp(),
        held["duration_s"],
        Transcript(segments, held["language"], held["model_id"]),
        held["source"],
    )


def test_json_of_everything_comes_back_equal() -> None:
    assert from_json(export(GOLDEN, "json")) == GOLDEN


@given(transcripts())
def test_json_comes_back_equal(transcript: Transcript) -> None:
    document = document_of(transcript)
    assert from_json(export(document, "json")) == document


def test_json_stays_json_whatever_a_model_returns() -> None:
    odd = Segment(0.0, float("inf"), "\ud800", (), float("nan"))
    held = json.loads(export(document_of(Transcript((odd,))), "json"))
    (segment,) = held["segments"]
    assert segment["text"] == "?"
    assert segment["end_s"] is segment["confidence"] is None


ParsedCue = tuple[float, float, str]


def from_srt(text: str) -> list[ParsedCue]:
    """Read SubRip as loosely as players do: blocks between empty lines."""
    parsed = []
    for number, block in enumerate(re.split(r"\n\n", text)[:-1], 1):
        index, times, *lines = block.split("\n")
        assert index == str(number)
        start, end = times.split(" --> ")
        assert lines
        assert all(line.strip() for line in lines)
        parsed.append((parse_time(start), parse_time(end), " ".join(lines)))
    return parsed


def from_vtt(text: str) -> list[ParsedCue]:
    head, *blocks = re.split(r"\n\n", text)
    assert head == "WEBVTT"
    parsed = []
    for block in filter(None, blocks):
        times, *lines = block.split("\n")
        start, end = times.split(" --> ")
        assert lines
        assert not any("-->" in line for line in lines)
        said = re.sub(r"<v [^>]*>", "", " ".join(lines))
        assert "<" not in said
        said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        parsed.append((parse_time(start), parse_time(end), said))
    return parsed


def squeezed(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=150)
@given(transcripts())
def test_subtitles_hold_every_word_in_time(transcript: Transcript) -> None:
    wanted = squeezed("".join(one_line(segment.text) for segment in transcript.segments))
    document = document_of(transcript)
    vtt = from_vtt(export(document, "vtt"))
    assert squeezed("".join(text for _, _, text in vtt)) == wanted
    silent = Transcript(
        tuple(Segment(s.start_s, s.end_s, s.text, s.words) for s in transcript.segments)
    )
    srt = from_srt(export(document_of(silent), "srt"))
    assert squeezed("".join(text for _, _, text in srt)) == wanted.replace("-->", "→")
    for parsed in (vtt, srt):
        assert [cue[0] for cue in parsed] == sorted(cue[0] for cue in parsed)
        assert all(start < end for start, end, _ in parsed)
    from_srt(export(document, "srt"))


@given(transcripts())
def test_nothing_said_becomes_markup(transcript: Transcript) -> None:
    text = export(document_of(transcript), "md")
    head, *paragraphs = text.split("\n\n")
    assert head == "# T"
    for line in text.split("\n")[4:]:
        assert line == "" or line.startswith("**")
    body = re.sub(r"&(amp|lt|gt);", "", re.sub(r"\\.", "", "".join(paragraphs[1:])))
    assert not re.search(r"[<>&`_\[\]#|~]", body)


def test_text_is_one_line_a_segment() -> None:
    lines = export(GOLDEN, "txt").splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("Ann: Hello")
    assert not lines[1].startswith("Ann")
    assert "\x07" not in export(GOLDEN, "txt")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("format_id", ["srt", "vtt"])
def test_ffmpeg_reads_the_subtitles_as_they_are(format_id: str, tmp_path: Path) -> None:
    file = tmp_path / f"cues{FORMATS[format_id].suffix}"
    file.write_text(export(GOLDEN, format_id), encoding="utf-8")
    ended = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(file), "-f", "srt", "-"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stderr == ""
    ours = (from_srt if format_id == "srt" else from_vtt)(file.read_text(encoding="utf-8"))
    theirs = from_srt(ended.stdout.rstrip("\n") + "\n\n")
    assert [cue[:2] for cue in theirs] == [cue[:2] for cue in ours]
    said = [squeezed(re.sub(r"<[^>]*>", "", cue[2])) for cue in theirs]
    assert said == [squeezed(re.sub(r"<[^>]*>", "", cue[2])) for cue in ours]
