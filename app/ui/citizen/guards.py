"""What must not be cut off: the machine stays awake while jobs run, and quitting asks first.

Recording holds the machine awake itself; this is about the queue, and about the person.
"""

from collections.abc import Callable
from contextlib import ExitStack

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from app.config.translate import tr
from app.core.dictation import Dictation, Stage, StageChanged
from app.core.job import JobStatus
from app.macos.awake import Awake, Need
from app.ui.job_board import JobBoard

_LOSING = (Stage.ARMING, Stage.RECORDING)


class JobsAwake(QObject):
    """Holds against nap, idle sleep and sudden termination while a file waits or runs."""

    def __init__(self, awake: Awake, board: JobBoard, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._awake = awake
        self._board = board
        self._hold: ExitStack | None = None
        board.changed.connect(self._on_changed)

    def close(self) -> None:
        """Let go."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    def _on_changed(self, _ids: object) -> None:
        is_busy = any(job.status is not JobStatus.PAUSED for job in self._board.open_jobs)
        if not is_busy:
            self.close()
        elif self._hold is None:
            self._hold = ExitStack()
            self._hold.enter_context(self._awake.hold(Need.JOB, tr("Transcribing files")))


class QuitGuard(QObject):
    """Asks before quitting ends a recording that runs.

    The question is a sheet on the window: quitting waits for the answer, recording goes on.

    Args:
        dictation: what records, if anything can.
        window: where the question appears; it is shown when it was closed.
        quit_app: ends the app, and with it the recording, whose sound is kept.
    """

    def __init__(
        self,
        dictation: Dictation | None,
        window: QWidget,
        quit_app: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._dictation = dictation
        self._window = window
        self._quit_app = quit_app
        self._is_sure = False
        self.question: QMessageBox | None = None

    def may_quit(self) -> bool:
        """Return whether the app may end now; if not, the person is being asked."""
        if self._is_sure or not self._is_recording:
            return True
        if self.question is None:
            self._ask()
        return False

    @Slot(StageChanged)
    def on_stage(self, event: StageChanged) -> None:
        """Take in where the recording stands; the question goes when there is nothing to ask."""
        if event.stage not in _LOSING and self.question is not None:
            self.question.reject()

    @property
    def _is_recording(self) -> bool:
        return self._dictation is not None and self._dictation.now.stage in _LOSING

    def _ask(self) -> None:
        self._window.show()
        self._window.raise_()
        box = QMessageBox(self._window)
        box.setWindowModality(Qt.WindowModality.WindowModal)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(tr("Recording"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(tr("A recording is running."))
        box.setInformativeText(tr("If you quit now it ends here. Everything said so far is kept."))
        keep = box.addButton(tr("Keep Recording"), QMessageBox.ButtonRole.RejectRole)
        stop = box.addButton(tr("Stop and Quit"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        stop.clicked.connect(self._leave)
        box.finished.connect(self._on_answered)
        self.question = box
        box.open()

    def _leave(self) -> None:
        self._is_sure = True
        self._quit_app()

    def _on_answered(self, _answer: int) -> None:
        if self.question is not None:
            self.question.deleteLater()
            self.question = None
