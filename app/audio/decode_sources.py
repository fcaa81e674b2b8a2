"""Two ways to read a media file: libsndfile first, FFmpeg for all it refuses. Runs in the worker.

A source yields 16 kHz mono float32 in pieces of a few seconds at most, whatever the file claims
about itself, so memory is bounded. Channels are averaged here: FFmpeg's mixing to a float format is
3 dB too loud and clips. What can't be decoded is skipped and remembered in `is_damaged`.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from app.core.packing import SAMPLE_RATE, Audio

# Bare audio and the common containers. Nothing that names other files or addresses: no hls, dash,
# concat, sdp, rtp, lavfi, image2, rm redirects; nothing that is told apart by its name alone.
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,loas,matroska,webm,"
    "mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,ogg,oma,tak,truehd,tta,voc,w64,wav,wv"
)
_ESTIMATED = ("aac", "mp3", "ac3", "eac3", "amr", "amrnb", "amrwb", "dts", "loas", "mpeg")
_LOWEST_HZ, _HIGHEST_HZ = 2_000, 1_536_000
_PIECE_S = 2.0
_LARGEST_READ = 2_000_000  # numbers, all channels together
_GAP_S, _LONGEST_GAP_S = 0.15, 60.0
_MOST_RESTARTS = 8
# From eight planes on PyAV 18 reads past the end of FFmpeg's list of them and crashes; packed
# sound has one plane.
_SAFE_PLANES = 7
_PLAYLISTS = (b"#EXTM3U", b"ffconcat version", b"v=0", b"<MPD", b"[playlist]", b"[Reference]")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_ENCRYPTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
_BEGINNINGS = (_ASF, b"RIFF", b"FORM", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")
_ENCRYPTED_TAGS = ("enca", "drms", "encv", "drmi")


class Refused(Exception):
    """The file can't be decoded; `kind` names the sentence the parent shows."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Source:
    """An open file: what it says about itself, and its sound."""

    format = ""
    title: str | None = None
    duration_s: float | None = None
    is_duration_exact = True
    rate_hz = 0
    channels = 0
    has_video = False
    is_damaged = False

    def pieces(self) -> Iterator[Audio]:
        """Yield (n_samples,) float32, 16 kHz mono."""
        raise NotImplementedError


def open_source(path: str, most_streams: int) -> Source:
    """Open the file at the absolute `path` with whichever reader takes it.

    Raises:
        Refused: neither does.
    """
    try:
        source = _Sndfile(path, most_streams)
    except Exception:  # noqa: BLE001 - libsndfile's refusal, however it says so, is FFmpeg's turn
        return _Ffmpeg(path, most_streams)
    if source.is_opus:
        # libsndfile 1.2.2 loses a stretch where Ogg pages hold more than a second of Opus.
        better = _Ffmpeg(path, most_streams)
        better.is_damaged = source.is_damaged
        return better
    return source


class _Sndfile(Source):
    """libsndfile: wav, aiff, flac, mp3, ogg and their kin."""

    def __init__(self, path: str, most_streams: int) -> None:
        import soundfile

        self._path = path
        self._most_streams = most_streams
        self._file = soundfile.SoundFile(path)
        self.rate_hz = self._file.samplerate
        self.channels = self._file.channels
        if not _LOWEST_HZ <= self.rate_hz <= _HIGHEST_HZ:
            raise Refused("damaged")
        self.duration_s = self._file.frames / self.rate_hz
        self.format = self._file.format.lower()
        self.is_opus = self._file.subtype == "OPUS"
        self.title = clean_title(self._file.title)
        log = self._file.extra_info
        self.is_damaged = "(should be" in log and _is_cut_short(log)
        self.is_damaged |= "Last page lacks an end-of-stream bit" in log

    def pieces(self) -> Iterator[Audio]:
        sent = 0
        for piece in Resampled(self._read()):
            sent += len(piece)
            yield piece
        if self._is_whole:
            return
        # libsndfile gives up at the first damage; FFmpeg goes on behind it.
        self.is_damaged = True
        try:
            rest = _Ffmpeg(self._path, self._most_streams)
            skip = sent
            for piece in rest.pieces():
                dropped = min(skip, len(piece))
                skip -= dropped
                if dropped < len(piece):
                    yield piece[dropped:]
        except Refused:
            return  # what libsndfile read is all there is

    def _read(self) -> Iterator[tuple[int, Audio]]:
        self._is_whole = False
        n_read = 0
        most = max(1, min(int(self.rate_hz * _PIECE_S), _LARGEST_READ // self.channels))
        while True:
            try:
                block = self._file.read(most, dtype="float32", always_2d=True)
            except RuntimeError:  # a damaged place in the middle
                return
            if not len(block):
                break
            n_read += len(block)
            yield self.rate_hz, block.mean(axis=1, dtype=np.float32)
        self._is_whole = n_read >= self._file.frames - self.rate_hz // 20


class _Ffmpeg(Source):
    """FFmpeg through PyAV: everything else."""

    def __init__(self, path: str, most_streams: int) -> None:
        import av
        import av.stream

        self._container = _open_ffmpeg(path)
        streams = self._container.streams
        if len(streams) > most_streams:
            raise Refused("too_many_streams")
        stream = streams.best("audio")
        if stream is None:
            raise Refused("no_audio")
        if stream.codec_context is None:
            raise Refused("unknown_codec")
        if str(stream.codec_context.codec_tag).strip("\0").lower() in _ENCRYPTED_TAGS:
            raise Refused("encrypted")
        self._stream = stream
        cover = av.stream.Disposition.attached_pic
        self.has_video = any(not video.disposition & cover for video in streams.video)
        for other in streams:
            if other.index != stream.index:
                other.discard = av.stream.Discard.all
        self._read_header()

    def _read_header(self) -> None:
        container, stream = self._container, self._stream
        self.rate_hz = stream.codec_context.sample_rate or 0
        self.channels = stream.codec_context.channels or 0
        self.format = container.format.name.split(",")[0]
        if self.format == "mov":
            self.format = "mp4"
        elif self.format == "ogg" and stream.codec_context.name.endswith("opus"):
            self.format = "opus"
        if stream.duration is not None and stream.time_base is not None:
            self.duration_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            self.duration_s = container.duration / 1_000_000
        if self.duration_s is not None and self.duration_s <= 0:
            self.duration_s = None
        self.is_duration_exact = container.format.name not in _ESTIMATED
        title = container.metadata.get("title") or stream.metadata.get("title")
        self.title = clean_title(title)

    def pieces(self) -> Iterator[Audio]:
        n_samples = 0
        for piece in Resampled(self._sound()):
            n_samples += len(piece)
            yield piece
        if self.duration_s and self.is_duration_exact and not self.has_video:
            missing_s = self.duration_s - n_samples / SAMPLE_RATE
            self.is_damaged |= missing_s > max(0.5, 0.002 * self.duration_s)

    def _sound(self) -> Iterator[tuple[int, Audio]]:
        """Yield rate and averaged channels, silence where time jumps ahead."""
        gathered = _Gathered()
        tick_s = float(self._stream.time_base or 0)
        expected_s = self._start_s()
        for frame in self._decoded():
            rate = frame.sample_rate
            if not _LOWEST_HZ <= rate <= _HIGHEST_HZ or not frame.samples:
                self.is_damaged = True
                continue
            if frame.pts is not None and tick_s:
                time_s = frame.pts * tick_s
                if expected_s is not None and _GAP_S < time_s - expected_s < _LONGEST_GAP_S:
                    yield from gathered.drain()
                    yield rate, np.zeros(int((time_s - expected_s) * rate), np.float32)
                expected_s = time_s
            if expected_s is not None:
                expected_s += frame.samples / rate
            yield from gathered.add(frame)
        yield from gathered.drain()

    def _start_s(self) -> float | None:
        """Return where the picture begins, so that sound that starts later fits to it."""
        if self.has_video and self.format in ("matroska", "mp4"):
            return 0.0
        start = self._container.start_time
        return None if start is None else start / 1_000_000

    def _decoded(self) -> Iterator[Any]:
        """Yield decoded frames; a packet that can't be decoded is skipped."""
        import av

        for _attempt in range(_MOST_RESTARTS):
            try:
                for packet in self._container.demux(self._stream):
                    try:
                        yield from packet.decode()
                    except (av.FFmpegError, ValueError):
                        self.is_damaged = True
                return
            except (av.FFmpegError, OSError, ValueError):  # a damaged place between packets
                self.is_damaged = True


class _Gathered:
    """Small frames joined to about a second before NumPy sees them: most of the speed."""

    def __init__(self) -> None:
        self._fifo: Any = None
        self._packed: Any = None
        self._shape: tuple[Any, ...] = ()

    def add(self, frame: Any) -> Iterator[tuple[int, Audio]]:
        """Take in one frame; yield what is full."""
        import av

        shape = (frame.sample_rate, frame.format.name, frame.layout.name)
        if shape != self._shape:
            yield from self.drain()
            self._fifo, self._shape, self._packed = av.AudioFifo(), shape, None
            if frame.format.is_planar and frame.layout.nb_channels > _SAFE_PLANES:
                self._packed = av.AudioResampler(format="flt", layout=frame.layout)
        frame.pts = None  # the fifo would raise at every jump
        for part in [frame] if self._packed is None else self._packed.resample(frame):
            part.pts = None
            self._fifo.write(part)
        if self._fifo.samples >= frame.sample_rate:
            yield from self.drain()

    def drain(self) -> Iterator[tuple[int, Audio]]:
        """Yield all that is held."""
        if self._fifo is None:
            return
        frame = self._fifo.read()
        if frame is not None:
            yield self._shape[0], _mono(frame)


class Resampled:
    """Averaged channels at any rate to 16 kHz, in pieces of bounded length.

    A rate that changes midway (joined streams do that) ends one resampler and begins the next.
    """

    def __init__(self, sound: Iterator[tuple[int, Audio]]) -> None:
        self._sound = sound

    def __iter__(self) -> Iterator[Audio]:
        rate = 0
        resampler: soxr.ResampleStream | None = None
        for rate_now, mono in self._sound:
            if rate_now != rate:
                if resampler is not None:
                    yield resampler.resample_chunk(_NOTHING, last=True)
                rate = rate_now
                same = rate == SAMPLE_RATE
                resampler = None if same else soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32")
            if not np.isfinite(mono).all():
                mono = np.nan_to_num(mono, nan=0.0, posinf=1.0, neginf=-1.0)
            if resampler is None:
                yield mono
                continue
            most = max(1, int(rate * _PIECE_S))
            for start in range(0, len(mono), most):
                yield resampler.resample_chunk(mono[start : start + most])
        if resampler is not None:
            yield resampler.resample_chunk(_NOTHING, last=True)


_NOTHING: Audio = np.zeros(0, np.float32)


def _mono(frame: Any) -> Audio:
    """Return the mean of a frame's channels as (n_samples,) float32 in about [-1, 1]."""
    samples: npt.NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    mixed: Audio = samples.sum(axis=0, dtype=np.float32)
    scale = 1.0 / len(samples)
    if samples.dtype == np.uint8:
        mixed -= np.float32(128.0 * len(samples))
        scale /= 128.0
    elif samples.dtype.kind == "i":
        scale /= float(-np.iinfo(samples.dtype).min)
    return mixed * np.float32(scale)


def _open_ffmpeg(path: str) -> Any:
    """Open `path` for reading, with no way to any other file or address."""
    import av
    import av.logging

    av.logging.set_level(av.logging.PANIC)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": _FORMATS,
        "codec_whitelist": _audio_codecs(),  # no picture is ever decoded, cover art included
        "enable_drefs": "0",
    }
    try:
        return av.open(f"file:{path}", metadata_errors="replace", container_options=options)
    except Exception as error:
        raise Refused(_why_refused(path)) from error


def _audio_codecs() -> str:
    import av.codec

    names = []
    for name in av.codec.codecs_available:
        try:
            if av.codec.Codec(name, "r").type == "audio":
                names.append(name)
        except ValueError:  # an encoder without a decoder
            continue
    return ",".join(names)


def _why_refused(path: str) -> str:
    """Return the kind of refusal for a file FFmpeg can't open, from its first bytes."""
    with open(path, "rb") as file:  # noqa: PTH123 - may hold bytes that are no text
        start = file.read(65_536)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PLAYLISTS):
        return "playlist"
    if start.startswith(_ASF) and any(mark in start for mark in _ASF_ENCRYPTION):
        return "encrypted"
    if start[4:8] == b"ftyp" or start.startswith(
        (_ASF, b"RIFF", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")
    ):
        return "damaged"
    return "not_media"


def _is_cut_short(log: str) -> bool:
    """Tell from libsndfile's log whether the header promises more sound than the file holds.

    Streaming writers leave 0 or the largest number there; they promise nothing.
    """
    for line in log.splitlines():
        words = line.replace(")", " ").split()
        if not line.strip().startswith(("data :", "SSND :")) or "(should" not in line:
            continue
        promised, there = int(words[2]), int(words[-1])
        if there < promised < 0xFFFFFF00:
            return True
    return False


def clean_title(title: str | None) -> str | None:
    """Return `title` on one line without control characters and halves of characters."""
    if not title:
        return None
    kept = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter
        for letter in title
    )
    return " ".join(kept.split())[:300] or None
