"""A damaged library file is no dead end: what is offered, how far it is, what came of it.

A file that does not open is repaired on the page that says so. One that is found damaged while it
is in use is repaired by a new start, since nothing may have it open.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import AppError, Stopped
from app.pipeline.salvage import Outcome
from app.ui.keeping.errand import Errand
from app.ui.keeping.ports import KeepingPorts, Shelter
from app.ui.widgets.announce import Announcer
from app.ui.widgets.banner import Banner, BannerStack
from app.ui.widgets.empty_state import EmptyState
from app.ui.wording import percent

_LOOK_AFTER_MS = 120_000  # it reads the whole file, and the start has better things to do


class Rescue(QObject):
    """Offers the repair and carries it through. Thread: main; the work is done on the io pool.

    Args:
        ports: looks and repairs.
        page: where the trouble is shown when the library cannot be read.
        banners: where it is told when the library is in use.
        announcer: says it to a screen reader.
        show_folder: shows where the file lies.
        relaunch: starts the app again, with the new library.
        restore: shows the backups, where there can be any.
    """

    def __init__(
        self,
        ports: KeepingPorts,
        page: EmptyState,
        banners: BannerStack,
        announcer: Announcer,
        show_folder: Callable[[], object],
        relaunch: Callable[[], object] | None,
        parent: QObject | None = None,
        restore: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(parent)
        self._ports = ports
        self._page = page
        self._banners = banners
        self._announcer = announcer
        self._show_folder = show_folder
        self._relaunch = relaunch
        self._restore = restore
        self._problem: AppError | None = None
        self._shown_percent = -1
        self._repair = Errand(ports.submit, self)
        self._repair.progressed.connect(self._on_progress)
        self._repair.done.connect(self._on_done)
        self._repair.failed.connect(self._on_failed)
        self._look = Errand(ports.submit, self)
        self._look.done.connect(self._on_looked)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self.look)

    # A library that does not open

    def offer(self, problem: AppError) -> None:
        """Show what is wrong with the file and what can be done; begin where that was asked for."""
        self._problem = problem
        if self._ports.is_repair_wanted:
            self.begin()
            return
        self._show_offer(problem)

    def begin(self) -> None:
        """Repair the library."""
        shelter = self._ports.shelter
        if shelter is None or self._repair.is_running:
            return
        self._shown_percent = -1
        self._on_progress(0.0)
        self._announcer.say(tr("Repairing the library …"))
        self._repair.begin(shelter.salvage)

    def close(self) -> None:
        """Stop what runs; nothing is changed by then, or all is done."""
        self.timer.stop()
        self._repair.stop()
        self._look.stop()

    def _show_offer(self, problem: AppError) -> None:
        actions: list[tuple[str, Callable[[], object]]] = [
            (tr("Repair Library"), self.begin),
            (tr("Show Folder"), self._show_folder),
        ]
        if self._restore is not None:
            actions.insert(1, (tr("Restore a Backup…"), self._restore))
        leave = self._ports.leave_repair
        if self._ports.is_repair_wanted and leave is not None:
            actions.append((tr("Not Now"), leave))
        self._page.show_state(
            tr_phrase(problem.message),
            [
                tr(
                    "Undertone can read everything that is still whole into a new library. What "
                    "is lost comes from the recordings’ own folders where they have it."
                ),
                tr("The damaged file is kept beside the new one. No sound is touched."),
            ],
            icon="warning",
            tint="error",
            actions=actions,
        )

    def _on_progress(self, fraction: float) -> None:
        shown = int(fraction * 100)
        if shown == self._shown_percent:
            return
        self._shown_percent = shown
        self._page.show_state(
            tr("Repairing the library …"),
            [percent(fraction)],
            is_busy=True,
            actions=[(tr("Stop"), self._repair.stop)],
        )

    def _on_done(self, outcome: Outcome) -> None:
        title = tr_plural(
            "{count} recording is in the library again.",
            "{count} recordings are in the library again.",
            outcome.count,
        )
        lines = _lines(outcome)
        actions = [(tr("Open Undertone"), self._relaunch)] if self._relaunch is not None else []
        self._page.show_state(title, lines, icon="check", tint="success", actions=actions)
        self._announcer.say(" ".join([title, *lines]))

    def _on_failed(self, error: AppError) -> None:
        if isinstance(error, Stopped) and self._problem is not None:
            self._show_offer(self._problem)
            return
        lines = [tr_phrase(error.hint)] if error.hint.source else []
        self._page.show_state(
            tr_phrase(error.message),
            lines,
            icon="warning",
            tint="error",
            actions=[(tr("Try Again"), self.begin), (tr("Show Folder"), self._show_folder)],
        )
        self._announcer.say(" ".join([tr_phrase(error.message), *lines]))

    # A library in use

    def watch(self) -> None:
        """Look at the file once the start is over."""
        if self._ports.shelter is not None:
            self.timer.start(_LOOK_AFTER_MS)

    def look(self) -> None:
        """Look whether a page of the file is damaged."""
        shelter: Shelter | None = self._ports.shelter
        if shelter is not None and not self._look.is_running:
            self._look.begin(lambda _progress, _is_stopped: shelter.is_damaged())

    def _on_looked(self, is_damaged: bool) -> None:
        begin = self._ports.begin_repair
        if not is_damaged or begin is None:
            return
        message = tr("The library file is damaged in places.")
        line = tr("Repair it now: Undertone starts again and reads all that is whole.")
        banner = Banner(
            message, tone="error", lines=[line], actions=[(tr("Repair Library"), begin)]
        )
        self._banners.show_banner("damaged", banner)
        self._announcer.say(f"{message} {line}")


def _lines(outcome: Outcome) -> list[str]:
    found = outcome.salvaged
    lines = []
    came_back = len(outcome.rebuilt.titles) + (len(found.completed) if found else 0)
    if came_back:
        lines.append(
            tr_plural(
                "{count} of them came from its own folder.",
                "{count} of them came from their own folders.",
                came_back,
            )
        )
    if found is not None and found.incomplete:
        count = len(found.incomplete)
        lines.append(
            tr_plural(
                "{count} lacks some of its text and is marked as failed.",
                "{count} lack some of their text and are marked as failed.",
                count,
            )
        )
    lines.append(tr("The damaged file is kept as “{name}”.", name=outcome.set_aside.name))
    return lines
