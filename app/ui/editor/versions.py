"""The versions of the open transcript: gathered, compared, chosen."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.config.translate import tr
from app.core.recording import Recording, RecordingStatus
from app.core.spans import retold
from app.core.transcript import Segment
from app.library.revise import RevisionKind
from app.pipeline.retake import part_of_job, whole_text
from app.ui.editor.compare import CompareDialog, Version
from app.ui.ports import Ports
from app.ui.transcript.pane import TranscriptPane


class Versions(QObject):
    """Opens the comparison of what is open with what it was."""

    def __init__(self, pane: TranscriptPane, ports: Ports, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._pane = pane
        self._library = ports.library
        self._organiser = ports.organiser
        self.dialog: CompareDialog | None = None
        pane.editor.compare_requested.connect(self.open)

    def open(self) -> None:
        """Compare the open transcript with its versions."""
        recording = self._pane.recording
        if recording is None:
            return
        self.dialog = CompareDialog(
            self._pane.editor.session.segments,
            self.versions_of(recording.recording_id),
            self._window,
            can_choose=self._pane.editor.keys.is_allowed,
        )
        key = recording.recording_id
        self.dialog.chosen.connect(lambda version: self._choose(key, version))
        self._pane.editor.left.connect(self.dialog.reject)
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.open()

    def refresh_colors(self) -> None:
        """Take on the colours of the scheme in use."""
        for dialog in self._window.findChildren(CompareDialog):
            dialog.refresh_colors()

    def versions_of(self, recording_id: str) -> list[Version]:
        """Return what there is to compare with, the newest first."""
        names = {
            RevisionKind.RAW: tr("As transcribed"),
            RevisionKind.EDITED: tr("As edited"),
            RevisionKind.RERUN: tr("Transcribed again"),
        }
        found = [
            Version(
                again.recording_id,
                tr("Transcribed again"),
                again.created_at,
                self._new_text(again),
            )
            for again in self._library.reruns_of(recording_id)
            if again.status is RecordingStatus.DONE
        ]
        found += [
            Version(
                each.revision_id,
                names[each.kind],
                each.created_at,
                tuple(self._library.revision_segments(each.revision_id)),
            )
            for each in self._library.revisions(recording_id)
        ]
        spoken = [segment for segment in self._pane.editor.session.segments if segment.raw]
        if spoken and not any(version.title == names[RevisionKind.RAW] for version in found):
            recording = self._pane.recording
            made_at = recording.created_at if recording is not None else 0.0
            found.append(Version("raw", tr("As spoken"), made_at, self._as_spoken()))
        return [version for version in found if version.segments]

    def _new_text(self, again: Recording) -> tuple[Segment, ...]:
        """Return the whole text that a new transcription, perhaps of a part, would make."""
        job = self._library.job_of(again.recording_id)
        return whole_text(
            tuple(self._pane.editor.session.segments),
            self._library.transcript(again.recording_id).segments,
            part_of_job(job) if job is not None else None,
        )

    def _as_spoken(self) -> tuple[Segment, ...]:
        """Return the text as the model wrote it, before it was cleaned."""
        return tuple(
            retold(segment, segment.raw) if segment.raw else segment
            for segment in self._pane.editor.session.segments
        )

    def _choose(self, recording_id: str, version: Version) -> None:
        """Put a version in place of the text, which is kept as a version itself."""
        editor = self._pane.editor
        is_here = editor.session.recording_id == recording_id
        if not is_here or not editor.keys.is_allowed or self._organiser is None:
            return
        self._organiser.add_revision(recording_id, RevisionKind.EDITED, editor.session.segments)
        editor.restore(version.segments)
