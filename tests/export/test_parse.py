"""What we export comes back, and what others write is understood."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import ImportFailed
from app.core.transcript import Segment, Transcript, Word
from app.export import FORMATS, ExportDocument
from app.export.parse import read_transcript
from tests.export.documents import GOLDEN
from tests.export.test_formats import transcripts

SAME_FOLDER = [HealthCheck.function_scoped_fixture]
TIMES = b"1\r\n00:00:01,5 --> 00:00:02,000\r\n"
WEB = b"WEBVTT\n\nNOTE no\n\n00:01.000 --> 00:02.000 align:left\n<c.x>A &amp; B</c>"


def back(file: Path, document: ExportDocument) -> Transcript:
    out = io.StringIO()
    FORMATS[file.suffix[1:]].write(document, out)
    file.write_text(out.getvalue(), encoding="utf-8", newline="\n")
    return read_transcript(file)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(transcripts())
def test_our_json_comes_back_as_it_was(tmp_path: Path, transcript: Transcript) -> None:
    if not transcript.segments:
        return
    assert back(tmp_path / "x.json", ExportDocument("t", 0.0, None, transcript)) == transcript


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_our_subtitles_come_back_as_cues(suffix: str, tmp_path: Path) -> None:
    found = back(tmp_path / f"x{suffix}", GOLDEN)
    assert found.segments[0].start_s == 0.0
    assert found.segments[-1].text == "مرحبا بالعالم"
    if suffix == ".vtt":
        assert found.segments[0].speaker == "Ann"
        assert found.segments[0].text == "Hello & <welcome> to everyone."


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.srt", b"\xef\xbb\xbf" + TIMES + b"<i>Hi</i>\r\nthere\r\n", ["Hi there"]),
        ("b.srt", b"1\n0:01 --> 0:02\nA\n2\n0:03 --> 0:04\nB", ["A", "B"]),
        ("c.srt", "1\n00:00:09,000 --> 00:00:01,000\nÜber".encode("cp1252"), ["Über"]),
        ("d.srt", "1\n00:00:01,000 --> 00:00:02,000\nx".encode("utf-16"), ["x"]),
        ("e.vtt", WEB, ["A & B"]),
        ("f.json", b'{"segments": [{"start": 1, "end": 2, "text": " A "}]}', ["A"]),
    ],
)  # fmt: skip
def test_files_of_others_are_understood(
    name: str, content: bytes, texts: list[str], tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    found = read_transcript(file)
    assert [each.text for each in found.segments] == texts
    assert all(each.start_s <= each.end_s for each in found.segments)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from([".srt", ".vtt", ".json"]), st.binary(max_size=200))
def test_rubbish_is_refused_in_a_sentence(tmp_path: Path, suffix: str, content: bytes) -> None:
    file = tmp_path / f"x{suffix}"
    file.write_bytes(content)
    with pytest.raises(ImportFailed, match="holds no transcript"):
        read_transcript(file)


@pytest.mark.parametrize(
    "said",
    ["<v " * 200_000, "<v" + " " * 400_000, "<v.a" * 100_000],
    ids=["tags", "blanks", "classes"],
)
def test_voice_tags_that_never_end_are_read_at_once(said: str, tmp_path: Path) -> None:
    file = tmp_path / "x.vtt"
    file.write_text(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{said}\n")
    (segment,) = read_transcript(file).segments  # hours, where each tag looks to the end
    assert segment.text == " ".join(said.split())
    assert segment.speaker is None


@pytest.mark.parametrize(
    ("tag", "speaker"),
    [
        ("<v Ada>", "Ada"),
        ("<v.loud.first \t Ada  Lovelace >", "Ada Lovelace"),
        ("<v Ben &amp; Co>", "Ben & Co"),
        ("<v>", None),
        ("<v  >", None),
        ("<video Ada>", None),
    ],
)
def test_voice_tags_name_who_speaks(tag: str, speaker: str | None, tmp_path: Path) -> None:
    file = tmp_path / "x.vtt"
    file.write_text(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{tag}Hello</v>\n")
    (segment,) = read_transcript(file).segments
    assert (segment.text, segment.speaker) == ("Hello", speaker)


NINES = "9" * 400
OURS = '{"format": "undertone-transcript", "segments": [{"start_s": %s, "end_s": 1, "text": "a"}]}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.srt", f"1\n{NINES}:00:00,000 --> {NINES}:00:01,000\nhi\n"),
        ("b.srt", "1\n99999999:00:00,000 --> 99999999:00:01,000\nhi\n"),
        ("c.json", f'{{"segments": [{{"start": {NINES}, "end": 1, "text": "a"}}]}}'),
        ("d.json", '{"segments": [{"start": 1e300, "end": 1e305, "text": "a"}]}'),
        ("e.json", OURS % NINES),
        ("f.json", OURS % "1e300"),
        ("g.json", OURS % '"NaN"'),
    ],
)
def test_times_that_are_none_are_refused_in_a_sentence(
    name: str, content: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(ImportFailed, match="holds no transcript"):
        read_transcript(file)


def test_one_time_that_is_none_costs_only_its_cue(tmp_path: Path) -> None:
    file = tmp_path / "x.srt"
    file.write_text(f"{TIMES.decode()}one\n\n2\n{NINES}:00:00,0 --> {NINES}:00:01,0\ntwo\n")
    assert [each.text for each in read_transcript(file).segments] == ["one"]


def test_our_json_written_by_somebody_else_is_put_right(tmp_path: Path) -> None:
    word = {"text": "a", "start_s": 4, "end_s": 3, "probability": 7}
    held = {
        "format": "undertone-transcript",
        "language": {"a": 1},
        "model_id": [1],
        "segments": [
            {"start_s": 5, "end_s": 1, "text": "a\ud800", "words": [word], "speaker": "\udfff"}
        ],
    }
    file = tmp_path / "x.json"
    file.write_text(json.dumps(held))
    found = read_transcript(file)
    assert (found.language, found.model_id) == (None, None)
    assert found.segments == (Segment(5.0, 5.0, "a?", (Word("a", 4.0, 4.0, 1.0),), None, "?"),)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="could not be read"):
        read_transcript(tmp_path / "none.srt")


SAID = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Cf", "Zl", "Zp")), min_size=1
).map(lambda text: " ".join(text.split())[:20].strip())


@st.composite
def short_segments(draw: st.DrawFn, alphabet: st.SearchStrategy[str]) -> tuple[Segment, ...]:
    """Return segments that fit into one cue each, in time, in milliseconds."""
    made, at_ms = [], 0
    for text in draw(st.lists(alphabet, max_size=6)):
        if not text.strip():
            continue
        at_ms += draw(st.integers(0, 5_000))
        length_ms = draw(st.integers(1_000, 9_000))
        speaker = draw(st.sampled_from([None, "Ada", "Ben & Co"]))
        made.append(Segment(at_ms / 1000, (at_ms + length_ms) / 1000, text, speaker=speaker))
        at_ms += length_ms
    return tuple(made)


@settings(max_examples=60, deadline=None, suppress_health_check=SAME_FOLDER)
@given(short_segments(SAID))
def test_short_segments_come_back_from_vtt_as_they_were(
    tmp_path: Path, segments: tuple[Segment, ...]
) -> None:
    if segments:
        document = ExportDocument("t", 0.0, None, Transcript(segments))
        assert back(tmp_path / "x.vtt", document).segments == segments


PLAIN = st.lists(
    st.sampled_from(["we", "met.", "川", "é", "3", "–", "so,"]), min_size=1, max_size=9
)


@settings(max_examples=40, deadline=None, suppress_health_check=SAME_FOLDER)
@given(short_segments(PLAIN.map(" ".join)))
def test_short_segments_come_back_from_srt_as_they_were(
    tmp_path: Path, segments: tuple[Segment, ...]
) -> None:
    silent = tuple(replace(each, speaker=None) for each in segments)
    if silent:
        document = ExportDocument("t", 0.0, None, Transcript(silent))
        assert back(tmp_path / "x.srt", document).segments == silent
