"""One take, and all that is done for it on the disk and in the library.

The order is the promise: microphone and journal first, then the row, then the engine; every final
is in `segments.jsonl` and in the library as it comes; the text is in the library before it goes
anywhere else; the journal goes only after its FLAC was read back equal and the library knows it.
What the library could not take is in the folder and comes back with the next start.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from app.audio.capture import Capture
from app.audio.capture_events import TakeEnded
from app.audio.finalise import finalise
from app.audio.take_folder import SegmentLog, TakeFolder, new_take_folder, remove_take_folder
from app.config.paths import Paths
from app.config.settings import Settings
from app.core.dictation import Outcome, Stage
from app.core.errors import AppError, EngineFailed, mark
from app.core.events import Event, Failed, SegmentsFinal
from app.core.job import Job, JobStatus
from app.core.model import Model
from app.core.recording import Recording, RecordingKind, RecordingStatus
from app.core.transcript import Segment
from app.library.lock import Owner
from app.library.reader import LibraryReader
from app.library.writer import LibraryWriter
from app.macos.front_app import FrontApp
from app.pipeline.spoken_text import joined, title_of, written

_log = logging.getLogger(__name__)
_ROW_PATIENCE_S = 5.0  # a library that takes longer does not hold up the words


@dataclass(slots=True, eq=False)
class Take:
    """One take as it now stands. Owner: the main thread; other owners are named.

    Attributes:
        run: counts the engine's tries; what an older one says is not heard.
        kept_s: until where finals were kept. Owner: the engine thread.
        kept_count: how many were kept. Owner: the engine thread.
        heard_s: how far the engine has come. Owner: the engine thread.
        is_known: whether the row is there, or will not come. Owner: the take-disk thread.
    """

    take_id: str
    kind: RecordingKind
    folder: TakeFolder
    created_at: float
    front: FrontApp | None = None
    stage: Stage = Stage.ARMING
    outcome: Outcome | None = None
    problem: AppError | None = None
    text: str = ""
    device: str = ""
    is_paused: bool = False
    is_stopping: bool = False
    is_given_up: bool = False  # no model will make text of it now
    is_recognised: bool = False
    is_concluding: bool = False
    needs_relaunch: bool = False
    error: AppError | None = None  # why there is no text
    capture: Capture | None = None
    ended: TakeEnded | None = None
    model: Model | None = None
    language: str | None = None
    segments: list[Segment] = field(default_factory=list)
    run: int = 0
    is_packed: bool = False
    kept_s: float = 0.0
    kept_count: int = 0
    heard_s: float = 0.0
    is_known: bool = False
    library_error: AppError | None = None
    log: SegmentLog | None = None

    @property
    def is_live(self) -> bool:
        """Whether the microphone is, or is about to be, open for it."""
        return self.stage in (Stage.ARMING, Stage.RECORDING) and not self.is_stopping

    @property
    def duration_s(self) -> float:
        if self.ended is not None:
            return self.ended.duration_s
        return self.capture.duration_s if self.capture is not None else 0.0

    @property
    def can_undo(self) -> bool:
        is_cancelled = self.stage is Stage.IDLE and self.outcome is Outcome.CANCELLED
        return is_cancelled and self.duration_s > 0

    @property
    def can_retry(self) -> bool:
        return self.stage is Stage.IDLE and self.outcome is Outcome.UNTRANSCRIBED


class TakeKeeper:
    """Keeps takes. Owner of the thread `take-disk`, on which all of its waiting is done.

    Args:
        paths: where takes lie.
        writer: the library's.
        reader: likewise.
        owner: this process, so that no other one recovers a take under way.
        pool: packs.
        emit: told what a person should know.
        settings: asked when text is made.
    """

    def __init__(
        self,
        paths: Paths,
        writer: LibraryWriter,
        reader: LibraryReader,
        owner: Owner,
        pool: ThreadPoolExecutor,
        emit: Callable[[Event], None],
        settings: Callable[[], Settings],
    ) -> None:
        self._recordings = paths.recordings
        self._writer = writer
        self._reader = reader
        self._owner = owner
        self._pool = pool
        self._emit = emit
        self._settings = settings
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="take-disk")
        self._packing = threading.Lock()

    def begin(self, take: Take, make_capture: Callable[[TakeFolder], Capture]) -> Future[None]:
        """Open the microphone and the journal, then write the take down. The row comes last."""
        return self._disk.submit(self._begin, take, make_capture)

    def keep(self, take: Take, final: SegmentsFinal) -> None:
        """Keep a final, in the folder and in the library. Thread: engine; returns at once."""
        after_s, take.kept_s = take.kept_s, final.done_s
        first, take.kept_count = take.kept_count, take.kept_count + len(final.segments)
        if final.segments:
            self._on_disk(self._log_segments, take, first, final.segments)
        stored = self._writer.append_segments(
            take.take_id, take.take_id, final.segments, final.done_s, final.language, after_s
        )
        stored.add_done_callback(lambda done: self._on_stored(take, done))

    def conclude(
        self, take: Take, status: RecordingStatus, then: Callable[[str], None]
    ) -> Future[None]:
        """Make the final text and write down how the take ended; then call `then` with the text.

        `then` is called on the take-disk thread, in any case.
        """
        return self._disk.submit(self._conclude, take, status, then)

    def set_status(self, take: Take, status: RecordingStatus) -> None:
        """Note how far the take is. Returns at once."""
        self._on_disk(self._set_status, take, status)

    def bin(self, take: Take, *, is_in: bool) -> None:
        """Put the take into the library's bin, or take it out again."""
        self._on_disk(self._bin, take, is_in)

    def pack(self, take: Take, *, drops_journal: bool) -> None:
        """Pack the take's sound; without its journal it can no longer be retried here."""
        self._pool.submit(self._told, self._pack, take, drops_journal)

    def let_go(self, take: Take) -> None:
        """Delete the journal of a packed take: nobody will read it again."""
        self._on_disk(self._drop_journal, take)

    def forget(self, take: Take) -> None:
        """Remove a take in which nothing was recorded."""
        self._on_disk(self._forget, take)

    def run(self, work: Callable[[], None]) -> None:
        """Do `work` on the take-disk thread, after all that was asked for before."""
        self._on_disk(work)

    def close(self) -> None:
        """Finish what was asked for."""
        self._disk.shutdown(wait=True)

    # The take-disk thread, from here on.

    def _on_disk(self, work: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # closed: what is on disk is recovered
            self._disk.submit(self._told, work, *arguments)

    def _told(self, work: Callable[..., object], *arguments: object) -> None:
        """Run `work`; what goes wrong is told, and never stops what follows."""
        try:
            work(*arguments)
        except AppError as error:
            self._emit(Failed(error))
        except Exception as error:  # noqa: BLE001  # the net of io tasks: a bug is shown, not lost
            _log.exception("keeping a take failed")
            self._emit(Failed(_unexpected(error)))

    def _begin(self, take: Take, make_capture: Callable[[TakeFolder], Capture]) -> None:
        try:
            new_take_folder(self._recordings, take.take_id)
            capture = make_capture(take.folder)
            capture.start()
            take.capture = capture
            self._save(take, RecordingStatus.PENDING)
            self._add_row(take)
        except AppError as error:
            if take.capture is None:
                raise
            take.library_error = error  # the sound is being kept; the rest comes later
        finally:
            take.is_known = True

    def _add_row(self, take: Take) -> None:
        # The job is over until somebody asks for it: a take is never taken up by itself.
        job = Job(
            job_id=take.take_id,
            recording_id=take.take_id,
            title=label_of(take.created_at),
            model_id=take.model.model_id if take.model else self._settings().model_id,
            language=self._settings().language,
            status=JobStatus.CANCELLED,
        )
        is_dictated = take.kind is RecordingKind.DICTATION and take.front is not None
        recording = Recording(
            take.take_id,
            take.kind,
            job.title,
            take.created_at,
            app_name=take.front.name if is_dictated and take.front else None,
        )
        try:
            self._writer.add_recording(recording, job).result(_ROW_PATIENCE_S)
        except TimeoutError:
            _log.warning("the library is slow to take a recording")

    def _log_segments(self, take: Take, first: int, segments: Sequence[Segment]) -> None:
        if take.log is None:
            take.log = SegmentLog(take.folder.segments)
        for seq, segment in enumerate(segments, first):
            take.log.append(seq, segment)

    def _on_stored(self, take: Take, stored: "Future[bool]") -> None:
        error = stored.exception()
        if isinstance(error, AppError):
            take.library_error = error
        elif error is not None or not stored.result():
            take.library_error = take.library_error or _not_stored()

    def _conclude(self, take: Take, status: RecordingStatus, then: Callable[[str], None]) -> None:
        text = ""
        try:
            segments = tuple(take.segments)
            text = self._text_of(take, segments)
            if take.log is not None:
                take.log.close()
                take.log = None
            self._save(take, status, text)
            self._write_row(take, status, segments, text)
        except AppError as error:
            take.library_error = error
            self._emit(Failed(error))
        except Exception as error:  # noqa: BLE001  # nobody reads this future: it is told here
            _log.exception("writing down the end of a take failed")
            take.library_error = _unexpected(error)
            self._emit(Failed(take.library_error))
        finally:
            then(text)

    def _text_of(self, take: Take, segments: Sequence[Segment]) -> str:
        """Return the text as the person wants it; as it was heard, if that cannot be made."""
        try:
            now = datetime.fromtimestamp(take.created_at)
            return written(segments, take.language, self._settings(), now)
        except Exception:  # noqa: BLE001  # a text rule must not cost the words
            _log.exception("making the text of a take failed")
            return joined([segment.text for segment in segments])

    def _write_row(
        self, take: Take, status: RecordingStatus, segments: tuple[Segment, ...], text: str
    ) -> None:
        if take.library_error is not None:
            self._mend_row(take, segments)
        error = take.error
        self._writer.update_recording(
            take.take_id,
            status=status,
            duration_s=take.duration_s,
            title=title_of(text) or label_of(take.created_at),
            error=str(error.message) if error else None,
            hint=str(error.hint) if error else None,
            **({"model_id": take.model.model_id} if take.model else {}),
        ).result()
        job = self._reader.job(take.take_id)
        if job is not None:
            is_done = status in (RecordingStatus.DONE, RecordingStatus.EMPTY)
            end = JobStatus.DONE if is_done else JobStatus.CANCELLED
            self._writer.save_job(replace(job, status=end, total_s=take.duration_s)).result()

    def _mend_row(self, take: Take, segments: tuple[Segment, ...]) -> None:
        """Bring the library up to what the folder holds, after it failed during the take."""
        if self._reader.recording(take.take_id) is None:
            self._add_row(take)
        if len(self._reader.transcript(take.take_id).segments) < len(segments):
            self._writer.replace_transcript(take.take_id, segments, take.language).result()
            # A retry goes on behind them.
            done_s = max(take.kept_s, segments[-1].end_s)
            self._writer.append_segments(take.take_id, take.take_id, (), done_s).result()
        take.library_error = None

    def _set_status(self, take: Take, status: RecordingStatus) -> None:
        self._save(take, status)
        self._writer.update_recording(take.take_id, status=status).result()

    def _bin(self, take: Take, is_in: bool) -> None:
        change = self._writer.move_to_bin if is_in else self._writer.restore
        change([take.take_id]).result()

    def _save(self, take: Take, status: RecordingStatus, text: str = "") -> None:
        sound = asdict(take.ended.sound) if take.ended is not None else None
        take.folder.save_details(
            {
                "recording_id": take.take_id,
                "kind": take.kind,
                "title": title_of(text) or label_of(take.created_at),
                "created_at": take.created_at,
                "status": status,
                "owner": self._owner.token,
                "language": take.language,
                "model_id": take.model.model_id if take.model else None,
                "front_app": asdict(take.front) if take.front else None,
                "device": take.device,
                "duration_s": take.duration_s,
                "sound": sound,
                "text": text or take.text,
                "error": str(take.error.message) if take.error else None,
                "hint": str(take.error.hint) if take.error else None,
            }
        )

    def _pack(self, take: Take, drops_journal: bool) -> None:
        with self._packing:  # a retry asks again while the first is under way
            if not take.is_packed:
                pack_take(take.folder, self._writer)
                take.is_packed = True
            if drops_journal:
                self._drop_journal(take)

    def _drop_journal(self, take: Take) -> None:
        if take.is_packed and take.library_error is None and take.folder.flac.exists():
            take.folder.journal.unlink(missing_ok=True)

    def _forget(self, take: Take) -> None:
        self._writer.remove([take.take_id]).result()
        remove_take_folder(take.folder.folder)


def pack_take(folder: TakeFolder, writer: LibraryWriter) -> float:
    """Pack a take's journal into its FLAC and tell the library where it lies; return its length.

    The journal stays. Thread: io.

    Raises:
        AudioError, DiskFull: it could not be packed; nothing was changed.
        LibraryError: the library could not be told.
    """
    made = finalise(folder.journal, folder.flac, folder.peaks)
    writer.update_recording(
        folder.take_id, audio_path=made.file, is_copy=True, duration_s=made.duration_s
    ).result()
    return made.duration_s


def label_of(created_at: float) -> str:
    """Return the title of a take that has no text yet: when it was made."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(created_at))


def _not_stored() -> EngineFailed:
    return EngineFailed(
        mark("A part of the text could not be kept in the library."),
        mark("It is kept beside the recording and comes back at the next start."),
    )


def _unexpected(error: Exception) -> EngineFailed:
    return EngineFailed(
        mark("Something unexpected went wrong ({kind}). The recording is kept."),
        mark("Try again; if it happens again, please report it with the log file."),
        kind=type(error).__name__,
    )
