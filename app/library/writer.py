"""The one way this process changes the library.

Every method hands one transaction to the thread that owns the process's only read-write connection
and returns a future. When the future has its result the change is on the disk and the listener has
been told. A failure stays on its future; the thread lives on.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Self, TypeVar

from app.core.backup import Merged
from app.core.events import LibraryChanged
from app.core.job import Job
from app.core.recording import Folder, Recording
from app.core.transcript import Segment
from app.library import changes, organise, revise
from app.library.lock import LibraryLock, Owner
from app.library.merge import Incoming, merge
from app.library.revise import Revision, RevisionKind
from app.library.transaction import Transaction
from app.library.writer_thread import WriterThread

_T = TypeVar("_T")


class LibraryWriter:
    """Owns the writing connection of this process.

    Args:
        file: the library; made, with its folder, when it is not there.
        on_change: called on the writer thread after each commit, before its future is done; and,
            with the origin `writer_thread.ELSEWHERE`, when another process has committed.
        lock: the library's lock where this process holds it.
        origin: put into every `LibraryChanged` of ours.
        watch_s: how often to look for other processes' commits; `None` never looks.

    Raises:
        LibraryTooNew, LibraryDamaged, LibraryReadOnly, LibraryLocked, DiskFull: it cannot be
            opened for writing.
    """

    def __init__(
        self,
        file: Path,
        on_change: Callable[[LibraryChanged], None],
        *,
        lock: LibraryLock | None = None,
        origin: str = "",
        watch_s: float | None = 1.0,
    ) -> None:
        self._thread = WriterThread(file, on_change, lock, origin, watch_s)
        self._do = self._thread.submit

    # What can be done; each runs as one transaction.

    def add_recording(
        self,
        recording: Recording,
        job: Job | None = None,
        fingerprint: str | None = None,
        owner: Owner | None = None,
    ) -> Future[Recording]:
        """Add a recording and, in the same breath, the job that transcribes it, as `owner`'s."""

        def add(change: Transaction) -> Recording:
            added = changes.add_recording(change, recording, job, fingerprint)
            if job is not None and owner is not None:
                changes.save_job(change, job, owner.token)
            return added

        return self._do(add)

    def add_finished(
        self, recording: Recording, segments: Sequence[Segment], fingerprint: str | None = None
    ) -> Future[Recording]:
        """Add a recording together with its whole transcript."""
        kept = tuple(segments)

        def add(change: Transaction) -> Recording:
            changes.add_recording(change, recording, None, fingerprint)
            changes.replace_transcript(change, recording.recording_id, kept, recording.language)
            return recording

        return self._do(add)

    def update_recording(self, recording_id: str, **fields: object) -> Future[Recording | None]:
        """Change fields of a recording; `None` when it is gone."""
        return self._do(lambda t: changes.update_recording(t, recording_id, fields))

    def save_job(self, job: Job, owner: Owner | None = None) -> Future[None]:
        """Insert or update a job, all but its `done_s`, which only `append_segments` moves.

        `owner` becomes its owner; `None` leaves the one it has. A job that is over loses it.
        """
        token = None if owner is None else owner.token
        return self._do(lambda t: changes.save_job(t, job, token))

    def claim_job(
        self, job_id: str, owner: Owner, *, may_be_over: bool = False
    ) -> Future[Job | None]:
        """Take a job that nobody alive owns; `None` when somebody does, or it is over or gone.

        With `may_be_over` one that is over is queued again, by one process only.
        """
        return self._do(lambda t: changes.claim_job(t, job_id, owner, may_be_over=may_be_over))

    def release_owned(self, owner: Owner) -> Future[None]:
        """Leave all jobs of `owner` to whoever claims them."""
        token = owner.token
        return self._do(lambda t: changes.release_owned(t, token))

    def append_segments(
        self,
        job_id: str,
        recording_id: str,
        segments: Sequence[Segment],
        done_s: float,
        language: str | None = None,
        after_s: float | None = None,
    ) -> Future[bool]:
        """Keep what the engine finished between `after_s` and `done_s`.

        `False` when it was kept before, its job is gone, or what comes before it was not kept.
        """
        kept = tuple(segments)
        return self._do(
            lambda t: changes.append_segments(
                t, job_id, recording_id, kept, done_s, language, after_s
            )
        )

    def replace_transcript(
        self, recording_id: str, segments: Sequence[Segment] = (), language: str | None = None
    ) -> Future[bool]:
        """Put `segments` in place of the transcript and set `done_s` of its jobs to 0 (a retry)."""
        kept = tuple(segments)
        return self._do(lambda t: changes.replace_transcript(t, recording_id, kept, language))

    def merge(self, incoming: Incoming, home: Path) -> Future[Merged]:
        """Take another library's rows in, all of them or none. `home` is where ours lies."""
        return self._do(lambda t: merge(t, incoming, home))

    def remove(self, recording_ids: Sequence[str]) -> Future[list[Path]]:
        """Remove recordings for good; the result is the audio copies the caller deletes next."""
        ids = tuple(recording_ids)
        return self._do(lambda t: changes.remove(t, ids))

    # Order: the bin, favourites, folders, tags.

    def move_to_bin(
        self, recording_ids: Sequence[str], at: float | None = None
    ) -> Future[tuple[str, ...]]:
        """Put recordings into the bin, out of every list; the result is those that were not there.

        Nothing of them is lost: `restore` brings them back as they were. `at` is the wall clock.
        """
        ids, when = tuple(recording_ids), time.time() if at is None else at
        return self._do(lambda t: organise.move_to_bin(t, ids, when))

    def restore(self, recording_ids: Sequence[str]) -> Future[tuple[str, ...]]:
        """Take recordings out of the bin; the result is those that were in it."""
        ids = tuple(recording_ids)
        return self._do(lambda t: organise.restore(t, ids))

    def set_favourite(
        self, recording_ids: Sequence[str], is_favourite: bool
    ) -> Future[tuple[str, ...]]:
        """Mark recordings as favourites or no longer; the result is those it changed."""
        ids = tuple(recording_ids)
        return self._do(lambda t: organise.set_favourite(t, ids, is_favourite))

    def add_folder(self, name: str) -> Future[Folder]:
        """Make a folder; one of that name is returned instead."""
        return self._do(lambda t: organise.add_folder(t, name))

    def rename_folder(self, folder_id: str, name: str) -> Future[bool]:
        return self._do(lambda t: organise.rename_folder(t, folder_id, name))

    def remove_folder(self, folder_id: str) -> Future[tuple[str, ...]]:
        """Remove a folder; the result is what lay in it, which stays."""
        return self._do(lambda t: organise.remove_folder(t, folder_id))

    def move_to_folder(
        self, recording_ids: Sequence[str], folder_id: str | None
    ) -> Future[dict[str, str | None]]:
        """Put recordings into a folder; the result is where those that moved lay before."""
        ids = tuple(recording_ids)
        return self._do(lambda t: organise.move_to_folder(t, ids, folder_id))

    def tag(self, recording_ids: Sequence[str], name: str) -> Future[tuple[str, ...]]:
        """Give recordings a tag; the result is those that did not have it."""
        ids = tuple(recording_ids)
        return self._do(lambda t: organise.tag(t, ids, name))

    def untag(self, recording_ids: Sequence[str], name: str) -> Future[tuple[str, ...]]:
        """Take a tag from recordings; the result is those that had it."""
        ids = tuple(recording_ids)
        return self._do(lambda t: organise.untag(t, ids, name))

    def rename_tag(self, name: str, new_name: str) -> Future[bool]:
        return self._do(lambda t: organise.rename_tag(t, name, new_name))

    def remove_tag(self, name: str) -> Future[tuple[str, ...]]:
        """Remove a tag; the result is the recordings that had it."""
        return self._do(lambda t: organise.remove_tag(t, name))

    # The text.

    def splice_segments(
        self,
        recording_id: str,
        first: int,
        removed: int | None,
        segments: Sequence[Segment] = (),
        at: float | None = None,
    ) -> Future[bool]:
        """Put `segments` in place of `removed` ones from place `first` on; `False` when gone.

        `removed` is `None` for all that follow.
        Before the first edit of all, the text is kept as a revision.
        """
        kept, when = tuple(segments), time.time() if at is None else at
        return self._do(
            lambda t: revise.splice_segments(t, recording_id, first, removed, kept, when)
        )

    def keep_revision(
        self, recording_id: str, kind: RevisionKind = RevisionKind.EDITED, at: float | None = None
    ) -> Future[Revision | None]:
        """Keep the text as it now stands."""
        when = time.time() if at is None else at
        return self._do(lambda t: revise.keep_revision(t, recording_id, kind, when))

    def add_revision(
        self,
        recording_id: str,
        kind: RevisionKind,
        segments: Sequence[Segment],
        language: str | None = None,
        model_id: str | None = None,
        at: float | None = None,
    ) -> Future[Revision | None]:
        """Keep another text of a recording beside its own."""
        kept, when = tuple(segments), time.time() if at is None else at
        return self._do(
            lambda t: revise.add_revision(t, recording_id, kind, kept, when, language, model_id)
        )

    def settle_rerun(
        self, rerun_id: str, segments: Sequence[Segment] = (), at: float | None = None
    ) -> Future[Revision | None]:
        """End what was transcribed once more: the text it makes stays as a version.

        `segments` is that whole text; without any, nothing is kept.
        """
        kept, when = tuple(segments), time.time() if at is None else at
        return self._do(lambda t: revise.settle_rerun(t, rerun_id, kept, when))

    def use_rerun(
        self,
        rerun_id: str,
        segments: Sequence[Segment],
        *,
        is_whole: bool,
        at: float | None = None,
    ) -> Future[bool]:
        """End what was transcribed once more: the text it makes is the text; `False` when gone.

        What goes is kept as a version. `is_whole`: it is not of a part only.
        """
        kept, when = tuple(segments), time.time() if at is None else at
        return self._do(lambda t: revise.use_rerun(t, rerun_id, kept, when, is_whole=is_whole))

    def remove_revision(self, revision_id: str) -> Future[bool]:
        return self._do(lambda t: revise.remove_revision(t, revision_id))

    def remove_jobs(self, job_ids: Sequence[str]) -> Future[int]:
        """Take jobs out of the queue; their recordings stay."""
        ids = tuple(job_ids)
        return self._do(lambda t: changes.remove_jobs(t, ids))

    def index_everything(self) -> Future[int]:
        """Index what a killed process left unindexed; the result is how many recordings."""
        return self._do(changes.index_everything)

    def rebuild_search(self) -> Future[int]:
        """Make the whole index anew; the result is how many recordings it holds. Slow."""
        return self._do(changes.rebuild_search)

    def mend(self, work: Callable[[Transaction], _T]) -> Future[_T]:
        """Run a repair (`library.mend`) as one transaction."""
        return self._do(work)

    def checkpoint(self) -> Future[bool]:
        """Move the log into the file; `False` when a reader was in the way."""
        return self._thread.checkpoint()

    def close(self) -> None:
        """Finish what was handed in, close the file and end the thread; may be called again."""
        self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
