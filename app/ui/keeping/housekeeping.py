"""Joins the rules and the repair to the main window: what they tell, and how it is taken back."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from app.config.translate import tr
from app.core.errors import AppError, LibraryDamaged
from app.pipeline.retention import Ran
from app.ui.keeping.rescue import Rescue
from app.ui.keeping.tidying import Tidying, told_ran
from app.ui.layout import WindowLayout
from app.ui.library.deeds import Deeds
from app.ui.news import News, show_folder
from app.ui.ports import Ports
from app.ui.widgets.announce import Announcer


class Housekeeping(QObject):
    """Keeps the library well while the window is there. Thread: main."""

    def __init__(
        self,
        ports: Ports,
        parts: WindowLayout,
        news: News,
        deeds: Deeds,
        announcer: Announcer,
        show_backups: Callable[[], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._news = news
        self._deeds = deeds
        self.rescue: Rescue | None = None
        self.tidying: Tidying | None = None
        keeping = ports.keeping
        if keeping is None:
            return
        self.rescue = Rescue(
            keeping,
            parts.trouble,
            parts.banners,
            announcer,
            partial(show_folder, ports.library_folder),
            ports.relaunch,
            self,
            show_backups if ports.backups is not None else None,
        )
        if keeping.rules is not None:
            self.tidying = Tidying(keeping, self)
            self.tidying.ran.connect(self._on_tidied)
            self.tidying.failed.connect(news.tell_error)

    def begin(self) -> None:
        """Let the rules run when it is time, and look whether the file is whole."""
        if self.tidying is not None:
            self.tidying.begin()
        if self.rescue is not None:
            self.rescue.watch()

    def end(self) -> None:
        """Begin nothing any more, and stop what can be stopped."""
        if self.tidying is not None:
            self.tidying.close()
        if self.rescue is not None:
            self.rescue.close()

    def run_rules(self) -> None:
        """Run the rules: the person has seen what they put away."""
        if self.tidying is not None:
            self.tidying.run_now()

    def offer_repair(self, problem: AppError) -> bool:
        """Offer to repair a damaged library; `False` when `problem` is another."""
        if self.rescue is None or not isinstance(problem, LibraryDamaged):
            return False
        self.rescue.offer(problem)
        return True

    def _on_tidied(self, ran: Ran) -> None:
        """Say what the rules did or would do, and offer to take it back."""
        tidying, moved = self.tidying, ran.moved
        if tidying is None:
            return
        if ran.waiting.count or ran.waiting_bin:
            self._news.tell_tidied(told_ran(ran), tr("Do It"), tidying.run_now)
            return
        if not moved.count:
            self._news.tell_tidied(told_ran(ran))
            return
        deed = self._deeds.remember(
            told_ran(ran),
            partial(tidying.undo, moved),
            partial(self._deeds.move_to_bin, moved.recordings, ""),
        )

        def undo() -> None:
            if self._deeds.latest is deed:
                self._deeds.undo()
            else:
                tidying.undo(moved)

        self._news.tell_tidied(deed.title, tr("Undo"), undo)
