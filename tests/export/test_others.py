"""What we write is opened by the programs it is meant for."""

import csv
import io
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import unicodedata
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.timecode import parse_time
from app.core.transcript import Segment, Transcript
from app.export import FORMATS, ExportDocument, ExportOptions, name_from, write_export
from app.export.cues import cues, width
from app.export.table import safe_cell
from tests.export.documents import GOLDEN, timed

ROOT = Path(__file__).parents[2]
HOSTILE = ExportDocument(
    title="<script>alert(1)</script>",
    created_at=0.0,
    duration_s=9.0,
    transcript=Transcript(
        (
            timed("We said </p><img src=http://x/y onerror=z> & {\\b1} \\N more", 0.0, 4.0, "A<b>"),
            Segment(4.0, 8.0, "=HYPERLINK(1)\x07\x0b"),
            Segment(8.0, 9.0, "مرحبا بالعالم 明日の会議"),
        )
    ),
)


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


def run(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("document", [GOLDEN, HOSTILE], ids=["golden", "hostile"])
@pytest.mark.parametrize("format_id", ["ass", "lrc"])
def test_ffmpeg_reads_the_subtitles(
    document: ExportDocument, format_id: str, tmp_path: Path
) -> None:
    file = write_export(document, format_id, tmp_path / f"x.{format_id}")
    made = run(tool("ffmpeg"), "-v", "error", "-i", str(file), "-f", "srt", "-")
    cue_texts = made.split("\n\n")
    wanted = [each for each in document.transcript.segments if each.text.strip()]
    assert sum(bool(each.strip()) for each in cue_texts) >= len(wanted)
    assert any("مرحبا" in each for each in cue_texts)


@pytest.mark.parametrize("document", [GOLDEN, HOSTILE], ids=["golden", "hostile"])
def test_a_broadcasters_reader_reads_the_ttml(document: ExportDocument, tmp_path: Path) -> None:
    import ttconv.imsc.reader
    import ttconv.srt.writer

    file = write_export(document, "ttml", tmp_path / "x.ttml")
    model = ttconv.imsc.reader.to_model(ET.parse(file))
    blocks = ttconv.srt.writer.from_model(model).strip().split("\n\n")
    wanted = list(cues(document.transcript))
    assert len(blocks) == len(wanted)
    for block, cue in zip(blocks, wanted, strict=True):
        _number, times, *lines = block.split("\n")
        begin, _arrow, end = times.split()
        assert lines == list(cue.lines)
        assert parse_time(begin) == pytest.approx(cue.start_s, abs=0.002)
        assert parse_time(end) == pytest.approx(cue.end_s, abs=0.002)


def test_pandoc_and_word_read_the_document(tmp_path: Path) -> None:
    import docx

    file = write_export(HOSTILE, "docx", tmp_path / "x.docx")
    texts = [each.text for each in docx.Document(str(file)).paragraphs]
    assert texts[0] == "<script>alert(1)</script>"
    assert texts[-1].endswith("مرحبا بالعالم 明日の会議")
    plain = run(tool("pandoc"), "-f", "docx", "-t", "plain", "--wrap=none", str(file))
    assert "We said </p><img src=http://x/y onerror=z> & {\\b1} \\N more" in plain


def test_pdftotext_finds_every_script(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("DISPLAY", None)
    script = (
        "import sys; from pathlib import Path; from tests.export.test_others import HOSTILE; "
        "from app.export import write_export; write_export(HOSTILE, 'pdf', Path(sys.argv[1]))"
    )
    file = tmp_path / "x.pdf"
    subprocess.run(
        [sys.executable, "-c", script, str(file)],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=120,
    )
    found = unicodedata.normalize("NFKC", run(tool("pdftotext"), "-layout", str(file), "-"))
    assert "<script>alert(1)</script>" in found
    assert "=HYPERLINK(1)" in found
    assert "明日の会議" in found
    assert "مرحبا بالعالم" in found


class Strict(HTMLParser):
    """Names every tag and everything that would make a browser ask for something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.asks: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.asks += [name for name, _value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_web_page_asks_for_nothing(tmp_path: Path) -> None:
    page = write_export(HOSTILE, "html", tmp_path / "x.html").read_text()
    reader = Strict()
    reader.feed(page)
    assert reader.asks == []
    assert reader.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "p", "span", "bdi"
    }  # fmt: skip
    assert "default-src 'none'" in page
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "<img src=http://x/y onerror=z>" in reader.text


class Net(socketserver.ThreadingTCPServer):
    """A proxy that writes down what it is asked for and gives nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Refusal)


class _Refusal(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = self.rfile.readline().decode("latin-1").strip()
        assert isinstance(self.server, Net)
        self.server.asked.append(asked)


@pytest.mark.soak
@pytest.mark.parametrize("document", [GOLDEN, HOSTILE], ids=["golden", "hostile"])
def test_a_browser_shows_the_page_and_asks_for_nothing(
    document: ExportDocument, tmp_path: Path
) -> None:
    """Render the page in Chromium behind a proxy that counts; `apt-get install chromium`."""
    page = write_export(document, "html", tmp_path / "x.html")
    control = tmp_path / "control.html"  # what a page that asks looks like to the proxy
    control.write_text('<!DOCTYPE html><img src="http://asked.example/pixel.png">')
    with Net() as net:
        serving = threading.Thread(target=net.serve_forever, args=(0.02,))
        serving.start()
        try:
            browse = (
                tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}",
                f"--proxy-server=127.0.0.1:{net.server_address[1]}", "--virtual-time-budget=2000",
                "--dump-dom",
            )  # fmt: skip
            shown = Strict()
            shown.feed(run(*browse, page.as_uri()))
            asked = list(net.asked)
            run(*browse, control.as_uri())
        finally:
            net.shutdown()
            serving.join()
    assert any("asked.example" in each for each in net.asked)  # the proxy does see requests
    assert not [each for each in asked if "google" not in each], asked  # Chromium's own aside
    assert "مرحبا بالعالم" in shown.text
    assert "<script>alert(1)</script>" in shown.text or document is GOLDEN
    assert "script" not in shown.tags
    assert "img" not in shown.tags


@given(st.text(max_size=8))
def test_no_cell_is_a_formula(text: str) -> None:
    for lead in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"):
        assert safe_cell(lead + text).startswith("'")
        if not lead.isspace():
            assert safe_cell(f" {lead}{text}").startswith("'")
    assert safe_cell("plain") == "plain"


RISKY = st.lists(st.sampled_from([*"=+-@|%＝; \"',a\n\t", ";=", ';"=']), max_size=8).map("".join)


@given(RISKY, RISKY, st.sampled_from(",;\t"))
@example("foo;=1+1", "a; @b", ";")
@example('foo;"=1+1;x', "Ann", ";")
def test_no_cell_is_a_formula_where_others_split(text: str, speaker: str, separator: str) -> None:
    said = (Segment(0.0, 1.0, text, (), 0.5, speaker), Segment(1.0, 2.0, text, speaker=speaker))
    out = io.StringIO()
    FORMATS["csv"].write(ExportDocument("t", 0.0, None, Transcript(said)), out)
    for row in csv.reader(out.getvalue().lstrip("\ufeff").splitlines(), delimiter=separator):
        for cell in row:
            assert not cell.lstrip().startswith(tuple("=+-@|%＝")), row


def test_a_plain_semicolon_stays() -> None:
    assert safe_cell("one; two = three") == "one; two = three"


@settings(max_examples=25, deadline=None)
@given(st.integers(16, 60), st.integers(1, 3), st.floats(5, 30))
def test_cues_keep_to_what_was_chosen(columns: int, lines: int, speed: float) -> None:
    text = " ".join(f"word{at}" for at in range(40))
    transcript = Transcript((timed(text, 0.0, 12.0), timed("End.", 30.0, 30.2)))
    chosen = ExportOptions(line_length=columns, cue_lines=lines, reading_speed=speed)
    found = list(cues(transcript, chosen))
    assert " ".join(" ".join(cue.lines) for cue in found) == f"{text} End."
    assert all(width(line) <= columns for cue in found for line in cue.lines)
    assert all(len(cue.lines) <= lines for cue in found)
    assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(found))
    last = found[-1]
    assert last.end_s - last.start_s == pytest.approx(max(0.2, 4 / speed))


def test_options_are_kept_by_every_format() -> None:
    silent = ExportOptions(has_speakers=False, has_times=False)
    for name in ("txt", "md", "html", "srt", "vtt", "csv", "ass", "ttml", "lrc"):
        file = io.StringIO()
        FORMATS[name].write(GOLDEN, file, silent)
        assert "Ann" not in file.getvalue()
        if name in ("md", "html"):
            assert "0:15" not in file.getvalue()


def test_names_are_made_by_template() -> None:
    assert name_from("{date} {title} {other}", GOLDEN).startswith("2023-11-1")
    assert "/" not in name_from("../../{title}", HOSTILE)
    assert name_from("{number}", GOLDEN, 7) == "7"
