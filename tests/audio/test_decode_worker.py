import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio import decode, decode_worker
from app.audio.decode import Limits, open_media, probe, worker_command
from app.audio.decode_sources import clean_title
from app.core.errors import DecodeFailed
from app.core.packing import SAMPLE_RATE, Audio
from tests.helpers.media import Recipe, encode, jfk

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def clip() -> Audio:
    return jfk(2)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    file = tmp_path / "minute.wav"
    soundfile.write(file, np.zeros(60 * SAMPLE_RATE, np.int16), SAMPLE_RATE)
    return file


# Files that name other files or addresses


class Canary:
    """A loopback listener that nobody should ever reach."""

    def __init__(self) -> None:
        self.calls = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._listener.accept()[0].close()
                self.calls += 1
            except TimeoutError:
                continue

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._listener.close()


def test_no_file_makes_us_open_another_file_or_address(tmp_path: Path, clip: Audio) -> None:
    secret = tmp_path / "secret.mp3"
    encode(secret, clip, Recipe("", "libmp3lame", 16_000))
    canary = Canary()
    address = f"http://127.0.0.1:{canary.port}/a.mp3"
    sdp = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {canary.port} "
    decoys = {
        "concat.mp3": "ffconcat version 1.0\nfile 'secret.mp3'\n",
        "concat2.wav": f"ffconcat version 1.0\nfile '{secret}'\n",
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n",
        "local.mp4": f"#EXTM3U\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "call.sdp": sdp + "RTP/AVP 0\n",
        "call.m4a": sdp + "RTP/AVP 0\n",
        "dash.mpd": f'<?xml version="1.0"?><MPD><BaseURL>{address}</BaseURL></MPD>',
        "pls.wav": f"[playlist]\nFile1={address}\n",
        "smooth.ism": f"<SmoothStreamingMedia><a href='{address}'/></SmoothStreamingMedia>",
        "graph.lavfi": "sine=frequency=440",
        "list.txt": f"file '{secret}'\n",
    }
    try:
        refused = {}
        for name, text in decoys.items():
            (tmp_path / name).write_text(text)
            with pytest.raises(DecodeFailed) as caught:
                probe(tmp_path / name)
            refused[name] = str(caught.value)
        assert canary.calls == 0
    finally:
        canary.close()
    assert refused["concat.mp3"] == "“concat.mp3” is a playlist, not a recording."
    assert refused["list.m3u8"] == "“list.m3u8” is a playlist, not a recording."
    assert all("playlist" in said or "not an audio" in said for said in refused.values())


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/a.mp3", "concat:a.mp3|b.mp3", "subfile,,start,0,end,9,,:a.mp3",
             "pipe:0", "data:audio/mp3;base64,AAAA", "lavfi:sine"]
)  # fmt: skip
def test_an_address_is_not_a_file(name: str) -> None:
    with pytest.raises(DecodeFailed, match="no longer where it was"):
        probe(Path(name))


# What the child may


@LINUX
def test_the_child_holds_nothing_but_its_pipes_and_the_file(wav: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    os.set_inheritable(listener.fileno(), True)
    with listener, open_media(wav) as stream:
        stream.read()
        process = Path(f"/proc/{stream.pid}")
        links = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
        held = sorted("pipe" if link.startswith("pipe:") else link for link in links)
        environment = (process / "environ").read_bytes().split(b"\0")
        names = {entry.partition(b"=")[0].decode() for entry in environment if entry}
        arguments = (process / "cmdline").read_bytes()
        status = (process / "status").read_text()
    assert held == sorted(["/dev/null", "/dev/null", str(wav), "pipe", "pipe"])
    assert names <= {
        "PYTHONPATH", "LC_ALL", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX",
        "LD_LIBRARY_PATH",
    }  # fmt: skip
    assert wav.name.encode() not in arguments  # others on this computer can read them
    assert "Umask:\t0077" in status


@LINUX
def test_the_child_has_a_session_of_its_own_and_limits(wav: Path) -> None:
    with open_media(wav, limits=Limits(memory_bytes=600_000_000)) as stream:
        assert os.getsid(stream.pid) == stream.pid
        limits = Path(f"/proc/{stream.pid}/limits").read_text()
    rows = {line[:26].strip(): line[26:].split() for line in limits.splitlines()}
    assert rows["Max data size"][:2] == ["600000000", "600000000"]
    assert rows["Max core file size"][:2] == ["0", "0"]
    assert rows["Max file size"][:2] == ["1048576", "1048576"]
    assert rows["Max cpu time"][:2] == ["3600", "3600"]


@LINUX
def test_the_child_ends_with_its_parent(wav: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from app.audio.decode import open_media\n"
        "s = open_media(Path(sys.argv[1])); s.read(); print(s.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(wav)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    while _is_running(child):
        assert time.monotonic() < deadline, "the child outlived its parent"
        os.sched_yield()


def test_the_thread_that_started_the_child_may_end(wav: Path) -> None:
    opened = []
    starter = threading.Thread(target=lambda: opened.append(open_media(wav)))
    starter.start()
    starter.join()
    with opened[0] as stream:
        assert sum(len(block) for block in stream) == 60 * SAMPLE_RATE


@pytest.mark.parametrize(
    ("kind", "subtype", "long"), [("flac", "PCM_16", 180), ("caf", "ALAC_16", 20)]
)
def test_hours_need_no_more_memory_than_a_minute(
    kind: str, subtype: str, long: int, tmp_path: Path
) -> None:
    peaks = []
    for minutes in (1, long):
        file = tmp_path / f"{minutes}.{kind}"
        with soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, subtype=subtype) as sound:
            for _ in range(minutes):
                sound.write(np.zeros(60 * SAMPLE_RATE, np.int16))
        with open_media(file) as stream:
            assert sum(len(block) for block in stream) == minutes * 60 * SAMPLE_RATE
        peaks.append(stream.peak_bytes)
    assert peaks[1] < peaks[0] + 16_000_000
    assert peaks[1] < 150_000_000


def test_a_thousand_channels_need_no_more_memory(tmp_path: Path) -> None:
    file = tmp_path / "wide.wav"
    soundfile.write(file, np.zeros((SAMPLE_RATE, 1000), np.int16), SAMPLE_RATE)
    with open_media(file) as stream:
        assert sum(len(block) for block in stream) == SAMPLE_RATE
    assert stream.peak_bytes < 200_000_000


# A child that lies


@pytest.mark.parametrize(
    "answer",
    [
        "b''",
        "b'garbage that is no record at all'",
        "struct.pack('<cI', b'H', 1 << 31)",
        "struct.pack('<cI', b'H', 3) + b'{}!'",
        "struct.pack('<cI', b'H', 2) + b'[]'",
        "struct.pack('<cI', b'P', 4) + b'    '",
        "struct.pack('<cI', b'X', 4) + b'oops'",
        "struct.pack('<cI', b'X', 24) + b'{\"kind\": \"no such kind\"}'",
        "header + struct.pack('<cI', b'P', 3) + b'123'",
        "header + struct.pack('<cI', b'E', 14) + b'{\"samples\": 5}'",
        "header + struct.pack('<cI', b'E', 2) + b'{}'",
        "header + struct.pack('<cI', b'P', 400) + b'123'",
    ],
)
def test_a_lying_child_is_one_sentence(
    answer: str, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = {
        "duration_s": 1, "title": None, "format": "", "has_video": False, "rate_hz": 1,
        "channels": 1,
    }  # fmt: skip
    header = decode_worker.PREFIX.pack(b"H", len(json.dumps(info))) + json.dumps(info).encode()
    script = f"import os, struct; header = {header!r}; os.write(1, {answer})"
    monkeypatch.setattr(decode, "worker_command", lambda: [sys.executable, "-c", script])
    with pytest.raises(DecodeFailed, match="failed unexpectedly"), open_media(wav) as stream:
        list(stream)


def test_a_child_past_its_memory_is_said_so(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"import os; os._exit({decode_worker.EXIT_MEMORY})"
    monkeypatch.setattr(decode, "worker_command", lambda: [sys.executable, "-c", script])
    with pytest.raises(DecodeFailed, match="too much memory"):
        open_media(wav)


def test_the_bundle_starts_its_worker_through_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command() == [sys.executable, decode.WORKER_VERB]


def test_titles_are_one_clean_line() -> None:
    assert clean_title(" a\nb\x00\ud800 c\u2028") == "a b c"
    assert clean_title("\n\t") is None
    assert clean_title(None) is None
    assert len(clean_title("x" * 999) or "") == 300


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
