import os
import signal
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from app.audio import decode as decode_module
from app.audio.decode import Limits, MediaHeader, MediaStream, open_media, probe
from app.core.errors import DecodeFailed
from app.core.packing import SAMPLE_RATE, Audio
from tests.helpers.media import RECIPES, Recipe, correlation, encode, jfk, make

CLIP_S = 4.0
TWO_AT_A_TIME = 2


@dataclass(frozen=True)
class Decoded:
    audio: Audio
    info: MediaHeader
    is_truncated: bool


def decode(file: Path, limits: Limits | None = None) -> Decoded:
    with open_media(file, limits=limits) as stream:
        audio = np.concatenate(list(stream))
        assert stream.is_complete
        assert stream.read_s == pytest.approx(len(audio) / SAMPLE_RATE)
        return Decoded(audio, stream.info, stream.is_truncated)


@pytest.fixture(scope="session")
def clip() -> Audio:
    return jfk(CLIP_S)


@pytest.fixture(scope="session")
def media(clip: Audio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("media")
    return {recipe.name: make(recipe, clip, folder) for recipe in RECIPES}


@pytest.fixture(scope="session")
def all_decoded(media: dict[str, Path]) -> dict[str, Decoded]:
    with ThreadPoolExecutor(TWO_AT_A_TIME) as pool:
        return dict(zip(media, pool.map(decode, media.values()), strict=True))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_format_gives_the_same_sound(
    recipe: Recipe, clip: Audio, all_decoded: dict[str, Decoded]
) -> None:
    decoded = all_decoded[recipe.name]
    assert len(decoded.audio) / SAMPLE_RATE == pytest.approx(CLIP_S, abs=0.06)
    # AMR holds nothing above 4 kHz: what is left of the original correlates less.
    least = 0.85 if "amr" in recipe.codec else 0.95
    assert correlation(clip, decoded.audio) > least
    assert not decoded.is_truncated
    assert decoded.info.rate_hz == recipe.rate_hz
    assert decoded.info.channels == {"mono": 1, "stereo": 2, "5.1": 6}[recipe.layout]
    # Raw AAC has no length in it, only a guess.
    slack_s = 0.3 if recipe.name.endswith(".aac") else 0.06
    assert decoded.info.duration_s == pytest.approx(CLIP_S, abs=slack_s)
    assert not decoded.info.has_video


@pytest.mark.parametrize("name", ["pcm16.wav", "clip.flac", "alac.m4a", "surround.wav"])
def test_lossless_formats_are_exact(
    name: str, clip: Audio, all_decoded: dict[str, Decoded]
) -> None:
    audio = all_decoded[name].audio
    assert len(audio) == len(clip)
    assert np.abs(audio - clip)[200:-200].max() < 2e-3


def test_a_file_at_16_khz_is_bit_exact(tmp_path: Path) -> None:
    steps = (np.arange(70_001) % 4001 - 2000).astype(np.int16)
    soundfile.write(tmp_path / "steps.wav", steps, SAMPLE_RATE)
    assert np.array_equal(decode(tmp_path / "steps.wav").audio, steps / np.float32(32768))


def test_blocks_are_bounded(media: dict[str, Path]) -> None:
    with open_media(media["clip.flac"]) as stream:
        assert {block.dtype for block in stream} == {np.dtype(np.float32)}
    with open_media(media["clip.flac"]) as stream:
        assert max(len(block) for block in stream) <= 4 * SAMPLE_RATE


def test_probe_reads_the_header_only(media: dict[str, Path], tmp_path: Path, clip: Audio) -> None:
    tagged = tmp_path / "tagged.m4a"
    encode(tagged, clip, Recipe("", "aac", 16_000), tags={"title": "A talk\x07 on\nrivers"})
    info = probe(tagged)
    assert (info.format, info.title) == ("mp4", "A talk on rivers")
    assert probe(media["clip.mp3"]).format == "mp3"


def test_a_picture_is_told_from_cover_art(tmp_path: Path, clip: Audio) -> None:
    film, song = tmp_path / "film.mkv", tmp_path / "song.mp4"
    _write_with_picture(film, clip, is_cover=False)
    _write_with_picture(song, clip, is_cover=True)
    assert decode(film).info.has_video
    covered = decode(song)
    assert not covered.info.has_video
    assert correlation(clip, covered.audio) > 0.95


def test_sound_that_starts_after_the_picture_keeps_its_time(tmp_path: Path, clip: Audio) -> None:
    file = tmp_path / "late.mkv"
    _write_with_picture(file, clip, is_cover=False, late_s=1.5)
    audio = decode(file).audio
    assert len(audio) / SAMPLE_RATE == pytest.approx(CLIP_S + 1.5, abs=0.06)
    assert not audio[: int(1.4 * SAMPLE_RATE)].any()


def test_not_numbers_become_silence_and_loud_ones_are_clipped(tmp_path: Path) -> None:
    sound = np.full(SAMPLE_RATE, 3.0, np.float32)
    sound[100:200] = np.nan
    sound[300:400] = -np.inf
    soundfile.write(tmp_path / "wild.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    audio = decode(tmp_path / "wild.wav").audio
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() == 1.0


@pytest.mark.parametrize(("codec", "layout"), [("aac", "7.1"), ("pcm_s16le", "hexadecagonal")])
def test_many_channels_decode(codec: str, layout: str, tmp_path: Path, clip: Audio) -> None:
    """PyAV's list of planes is wrong from eight planar channels on; the worker crashed."""
    file = tmp_path / "many.mka"
    encode(file, clip, Recipe("", codec, SAMPLE_RATE, layout, container="matroska"))
    audio = decode(file).audio
    assert len(audio) / SAMPLE_RATE == pytest.approx(CLIP_S, abs=0.07)
    assert correlation(clip, audio) > 0.95


# What can't be decoded, or only in part


def test_what_is_no_recording_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "letter.mp3").write_text("Dear Sir or Madam, this is no song.\n" * 99)
    (tmp_path / "noise.m4a").write_bytes(np.random.default_rng(1).bytes(50_000))
    os.mkfifo(tmp_path / "pipe.wav")
    soundfile.write(tmp_path / "header.wav", np.zeros(0), SAMPLE_RATE)
    _write_film_without_sound(tmp_path / "silent.mp4")
    said = {
        name: _refusal(tmp_path / name)
        for name in (
            "gone.wav", "empty.wav", "folder.mp3", "letter.mp3", "noise.m4a", "pipe.wav",
            "header.wav", "silent.mp4", "letter.mp3/inside.wav",
        )
    }  # fmt: skip
    assert said == {
        "gone.wav": "“gone.wav” is no longer where it was.",
        "empty.wav": "“empty.wav” is empty (0 bytes).",
        "folder.mp3": "“folder.mp3” is a folder.",
        "letter.mp3": "“letter.mp3” is not an audio or video file that can be read.",
        "noise.m4a": "“noise.m4a” is not an audio or video file that can be read.",
        "pipe.wav": "“pipe.wav” is not an ordinary file.",
        "header.wav": "“header.wav” holds no sound.",
        "silent.mp4": "“silent.mp4” has no sound track.",
        "letter.mp3/inside.wav": "“inside.wav” is no longer where it was.",
    }


def test_a_file_without_permission_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    # Root, which tests may run as, is never refused: the system's answer is played.
    monkeypatch.setattr("app.audio.decode.os.open", refuse)
    assert _refusal(tmp_path / "secret.wav") == "“secret.wav” may not be read."


@pytest.mark.parametrize(
    "name", ["pcm16.wav", "clip.aiff", "clip.flac", "vorbis.ogg", "clip.opus", "clip.mp3",
             "clip.webm", "opus.mkv"]
)  # fmt: skip
def test_a_truncated_file_gives_what_is_there(
    name: str, media: dict[str, Path], tmp_path: Path, clip: Audio
) -> None:
    whole = media[name].read_bytes()
    half = tmp_path / name
    half.write_bytes(whole[: len(whole) // 2])
    decoded = decode(half)
    assert decoded.is_truncated
    assert len(decoded.audio) > 0.6 * SAMPLE_RATE
    assert correlation(clip[: len(decoded.audio)], decoded.audio) > 0.9


def test_a_truncated_m4a_gives_what_is_there_if_its_index_is(tmp_path: Path, clip: Audio) -> None:
    for name, flags in (("early.m4a", "+faststart"), ("late.m4a", "")):
        encode(tmp_path / name, clip, Recipe("", "aac", 16_000), flags=flags)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    decoded = decode(tmp_path / "early.m4a")
    assert decoded.is_truncated
    assert len(decoded.audio) > 1.5 * SAMPLE_RATE
    assert _refusal(tmp_path / "late.m4a").endswith("is damaged; no sound could be read from it.")


@pytest.mark.parametrize("name", ["clip.mp3", "clip.flac", "aac.m4a", "clip.opus"])
def test_a_damaged_place_costs_only_itself(
    name: str, media: dict[str, Path], tmp_path: Path, clip: Audio
) -> None:
    damaged = bytearray(media[name].read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 600] = b"x" * 600
    (tmp_path / name).write_bytes(damaged)
    decoded = decode(tmp_path / name)
    assert len(decoded.audio) / SAMPLE_RATE == pytest.approx(CLIP_S, abs=0.5)
    assert correlation(clip[-SAMPLE_RATE:], decoded.audio[-SAMPLE_RATE:]) > 0.9


def test_a_warning_names_the_damaged_file(media: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "half.wav").write_bytes(media["pcm16.wav"].read_bytes()[:64_000])
    with open_media(tmp_path / "half.wav") as stream:
        assert stream.warning is None
        list(stream)
        assert str(stream.warning).startswith("“half.wav” is damaged or incomplete")


def test_copy_protection_is_named(media: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "bought.m4a"
    file.write_bytes(media["aac.m4a"].read_bytes().replace(b"mp4a", b"drms", 1))
    assert _refusal(file) == "“bought.m4a” is copy-protected."


def test_too_long_is_refused_from_the_header_and_by_count(
    media: dict[str, Path], tmp_path: Path
) -> None:
    day = tmp_path / "day.wav"
    soundfile.write(day, np.zeros(8000, np.int16), 8000, subtype="PCM_U8")
    n_bytes = 25 * 3600 * 8000
    header = bytearray(day.read_bytes()[:44])
    header[4:8] = (n_bytes + 36).to_bytes(4, "little")
    header[40:44] = n_bytes.to_bytes(4, "little")
    day.write_bytes(header)
    os.truncate(day, 44 + n_bytes)  # a hole: no room is taken
    assert _refusal(day) == "“day.wav” is longer than 24 hours."
    # Raw AAC doesn't say how long it is: counted.
    short = Limits(duration_s=1.5)
    assert _refusal(media["clip.aac"], short) == "“clip.aac” is longer than 24 hours."


def test_a_header_that_lies_about_the_length_is_not_believed(
    media: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / "lying.webm"
    data = bytearray(media["clip.webm"].read_bytes())
    start = data.index(b"\x44\x89\x88") + 3  # the element Duration, a double of milliseconds
    data[start : start + 8] = struct.pack(">d", 1e12)
    file.write_bytes(data)
    decoded = decode(file)
    assert decoded.info.duration_s is None
    assert len(decoded.audio) / SAMPLE_RATE == pytest.approx(CLIP_S, abs=0.06)


def test_an_odd_sampling_rate_is_refused(tmp_path: Path, media: dict[str, Path]) -> None:
    wav = bytearray(media["pcm16.wav"].read_bytes())
    wav[24:28] = (1).to_bytes(4, "little")  # one sample a second: 64 000 s, resampled 16 000-fold
    (tmp_path / "slow.wav").write_bytes(wav)
    assert _refusal(tmp_path / "slow.wav").endswith("is damaged; no sound could be read from it.")


# Names and tags


@pytest.mark.parametrize(
    "name",
    [
        "x" * 251 + ".wav",
        "👩‍👩‍👧 fête.wav",
        "שלום\u202e3pm.wav",
        "-i.wav",
        "--help.wav",
        "file:inner.wav",
        "concat:a|b.wav",
        "http:%2F%2Fx.wav",
        "100%s %d.wav",
        "new\nline.wav",
        "cafe\u0301.wav",
        "caf\u00e9.wav",
        "bytes\udcff\udcfe.wav",
        "quote'\"\\.wav",
        " .wav",
    ],
)
@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_odd_names_open(name: str, suffix: str, media: dict[str, Path], tmp_path: Path) -> None:
    original = media["pcm16.wav" if suffix == ".wav" else "aac.m4a"]
    odd = tmp_path / (name[: -len(".wav")] + suffix)
    odd.hardlink_to(original)
    assert probe(odd).duration_s == pytest.approx(CLIP_S, abs=0.06)


def test_a_relative_name_opens(
    media: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "-a.m4a").hardlink_to(media["aac.m4a"])
    monkeypatch.chdir(tmp_path)
    assert probe(Path("-a.m4a")).format == "mp4"


def test_a_name_that_cannot_be_is_refused() -> None:
    assert "is not a possible file name" in _refusal(Path("/tmp/a\0b.wav"))
    assert "\udcff" not in _refusal(Path("/nowhere/a\udcff.wav"))


def test_tags_of_another_code_page_open(tmp_path: Path, clip: Audio) -> None:
    cp1252 = "Müller – Gespräch".encode("cp1252")
    wav = tmp_path / "info.wav"
    soundfile.write(wav, clip, SAMPLE_RATE)
    info = b"INFOINAM" + len(cp1252).to_bytes(4, "little") + cp1252 + b"\0" * (len(cp1252) % 2)
    wav.write_bytes(wav.read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info)
    mp4 = tmp_path / "info.m4a"
    encode(mp4, clip, Recipe("", "aac", 16_000), tags={"title": "M@ller - Gespr@ch"})
    mp4.write_bytes(mp4.read_bytes().replace(b"M@ller - Gespr@ch", b"M\xfcller - Gespr\xe4ch"))
    for file in (wav, mp4):
        title = decode(file).info.title
        assert title is not None
        assert title.endswith("ch")
        title.encode("utf-8")  # no half of a character is left that a database would refuse


# Cancelling and failing children


def test_close_ends_the_child_at_once_and_a_blocked_read_with_it(media: dict[str, Path]) -> None:
    stream = open_media(media["clip.flac"])
    os.kill(stream.pid, signal.SIGSTOP)  # stopped: nothing will ever come
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lambda: list(stream))
        begin = time.monotonic()
        stream.close()
        assert time.monotonic() - begin < 0.5
        reading.result(timeout=5)
    assert not stream.is_complete
    assert not Path(f"/proc/{stream.pid}").exists()
    assert stream.read() is None
    stream.close()  # again: nothing happens


def test_close_ends_the_wait_for_the_header(media: dict[str, Path]) -> None:
    stream = MediaStream(media["clip.flac"])
    stream.close()
    with pytest.raises(DecodeFailed, match="was stopped"):
        stream.open()


def test_a_hung_child_is_noticed_and_ended(
    media: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    monkeypatch.setattr(decode_module, "worker_command", lambda: [sys.executable, "-c", script])
    with pytest.raises(DecodeFailed, match="took too long"):
        open_media(media["clip.flac"], limits=Limits(stall_s=0.1))


def test_a_killed_child_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    soundfile.write(file, np.zeros(60 * SAMPLE_RATE, np.int16), SAMPLE_RATE)
    with open_media(file) as stream:
        assert stream.read() is not None
        os.kill(stream.pid, signal.SIGKILL)
        with pytest.raises(DecodeFailed, match="failed unexpectedly"):
            list(stream)


def test_too_much_memory_is_one_sentence(media: dict[str, Path]) -> None:
    with pytest.raises(DecodeFailed) as caught:
        decode(media["aac.m4a"], Limits(memory_bytes=20_000_000))
    assert "too much memory" in str(caught.value) or "failed unexpectedly" in str(caught.value)
    assert str(caught.value.hint)


# Helpers


def _refusal(file: Path, limits: Limits | None = None) -> str:
    with pytest.raises(DecodeFailed) as caught:
        decode(file, limits)
    assert str(caught.value.hint)
    return str(caught.value)


def _write_with_picture(file: Path, clip: Audio, *, is_cover: bool, late_s: float = 0.0) -> None:
    with av.open(str(file), "w") as container:
        picture = container.add_stream("mjpeg" if is_cover else "mpeg4", rate=10)
        picture.width, picture.height = 64, 48
        picture.pix_fmt = "yuvj420p" if is_cover else "yuv420p"
        if is_cover:
            picture.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        n_pictures = 1 if is_cover else int((CLIP_S + late_s) * 10)
        for _ in range(n_pictures):
            shown = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(shown))
        container.mux(picture.encode(None))
        for start in range(0, len(clip), 1024):
            piece = clip[None, start : start + 1024]
            heard = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            heard.sample_rate = SAMPLE_RATE
            heard.pts = start + int(late_s * SAMPLE_RATE)
            container.mux(sound.encode(heard))
        container.mux(sound.encode(None))


def _write_film_without_sound(file: Path) -> None:
    with av.open(str(file), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            shown = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(shown))
        container.mux(picture.encode(None))
