"""What the window tells in banners: above what needs an answer, below what can be undone."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices

from app.config.translate import tr, tr_phrase, tr_plural
from app.core.errors import AppError, mark
from app.core.events import Exported, Failed, FilesChecked
from app.core.job import Job, JobStatus
from app.core.packing import Region
from app.core.timecode import clock
from app.ui.library.deeds import Deed
from app.ui.ports import ModelChoice
from app.ui.widgets.announce import Announcer
from app.ui.widgets.banner import Banner, BannerStack

_MOST_LINES = 4
_STAY_MS = 8_000


class News(QObject):
    """Writes banners into the two stacks of the window."""

    def __init__(
        self, above: BannerStack, below: BannerStack, announcer: Announcer, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._above = above
        self._below = below
        self._announcer = announcer
        self._unwritten: list[str] = []  # where speech has no text, the newest first
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.setInterval(_STAY_MS)
        self._fade.timeout.connect(lambda: below.close_banner("exported"))
        self._deed_fade = QTimer(self)
        self._deed_fade.setSingleShot(True)
        self._deed_fade.setInterval(_STAY_MS)
        self._deed_fade.timeout.connect(self.forget_deed)

    def tell_models(
        self, models: Sequence[ModelChoice], get_one: Callable[[], object] | None = None
    ) -> None:
        """Say that the only model is the demonstration, or that there is none."""
        if any(not model.is_demo for model in models):
            self._above.close_banner("models")
            return
        actions = [(tr("Get a Model…"), get_one)] if get_one else []
        if models:
            message = tr(
                "No other model is installed. Undertone uses a small demonstration model that "
                "knows a few hundred words of clear English, and fewer of German, French and "
                "Spanish."
            )
            self._above.show_banner("models", Banner(message, actions=actions))
            return
        message = tr("No model is installed, so nothing can be transcribed.")
        lines = [tr("Reinstall Undertone; what is in your library stays.")]
        banner = Banner(message, tone="error", lines=lines, actions=actions, can_close=False)
        self._above.show_banner("models", banner)

    def tell_error(self, error: AppError, name: str = "error", *, can_close: bool = True) -> None:
        """Say what went wrong and what to do."""
        message, hint = tr_phrase(error.message), tr_phrase(error.hint)
        tone = "error" if can_close else "warning"
        lines = [hint] if hint else []
        self._above.show_banner(name, Banner(message, tone=tone, lines=lines, can_close=can_close))
        self._announcer.say(f"{message} {hint}".strip())

    def on_failed(self, event: Failed) -> None:
        self.tell_error(event.error)

    def on_files_checked(self, event: FilesChecked) -> None:
        """Say what was added, and name each refused file with its reason."""
        if event.added:
            text = tr_plural("{count} file added.", "{count} files added.", len(event.added))
            self._announcer.say(text)
        if not event.rejected:
            return
        count = len(event.rejected)
        lines = _few([self._reason(error) for _path, error in event.rejected])
        message = tr_plural(
            "{count} file could not be added:", "{count} files could not be added:", count
        )
        self._above.show_banner("rejected", Banner(message, tone="warning", lines=lines))
        self._announcer.say(" ".join([message, *lines]))

    def on_exported(self, event: Exported) -> None:
        """Say what was written and offer to show it."""
        if not event.paths:
            return
        first = event.paths[0]
        if len(event.paths) == 1:
            message = tr("Exported “{name}”.", name=first.name)
        else:
            count = len(event.paths)
            message = tr_plural("{count} file exported.", "{count} files exported.", count)
        action = (tr("Show in Folder"), lambda: show_folder(first.parent))
        self._below.show_banner("exported", Banner(message, actions=[action]))
        self._fade.start()
        self._announcer.say(message)

    def on_job_ended(self, job: Job) -> None:
        """Announce that a recording is transcribed, or why not."""
        title = " ".join(job.title.split())
        if job.status is JobStatus.DONE:
            self._announcer.say(tr("“{title}” is transcribed.", title=title))
        elif job.status is JobStatus.FAILED:
            reason = tr(job.error) if job.error else tr("The transcription failed.")
            self._announcer.say(tr("“{title}”: {reason}", title=title, reason=reason))

    def tell_speech_without_text(
        self, title: str, places: Sequence[Region], show: Callable[[], object]
    ) -> None:
        """Say where somebody speaks and the model wrote nothing, until the person has seen it."""
        name = "speech_without_text"
        if self._above.banner(name) is None:
            self._unwritten = []
        times = [f"{clock(place.start_s)} – {clock(place.end_s)}" for place in places[:_MOST_LINES]]
        more = "…" if len(places) > _MOST_LINES else ""
        line = f"{title}: {', '.join(times)}{more}"
        self._unwritten.insert(0, line)
        message = tr("Somebody speaks where the model wrote nothing:")
        lines = _few(self._unwritten)
        actions = [(tr("Show"), show)]
        banner = Banner(message, tone="warning", lines=lines, actions=actions)
        self._above.show_banner(name, banner)
        self._announcer.say(f"{message} {line}")

    def tell_no_links(self) -> None:
        """Say that what was dropped is not on this computer."""
        self.tell_error(
            AppError(
                mark("Only files on this computer can be transcribed."),
                mark("Download the file first, then drop it here."),
            )
        )

    def tell_deed(self, deed: Deed, undo: Callable[[], object]) -> None:
        """Say what was done, and offer to take it back while that is fresh."""
        self._announcer.say(deed.title)
        if not deed.is_told:
            return
        action: tuple[str, Callable[[], object]] = (tr("Undo"), undo)
        self._below.show_banner("deed", Banner(deed.title, actions=[action]))
        self._deed_fade.start()

    def tell_tidied(
        self, message: str, action: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Say what the rules put away; it stays until the person has seen it."""

        def act() -> None:
            self._above.close_banner("tidied")
            if do is not None:
                do()

        actions = [(action, act)] if do is not None else []
        self._above.show_banner("tidied", Banner(message, actions=actions))
        self._announcer.say(message)

    def forget_deed(self) -> None:
        """Close the offer: it was taken, or something else is the latest now."""
        self._below.close_banner("deed")

    def _reason(self, error: AppError) -> str:
        return f"{tr_phrase(error.message)} {tr_phrase(error.hint)}".strip()


def _few(lines: Sequence[str]) -> list[str]:
    """Return the first lines and how many more there are."""
    rest = len(lines) - _MOST_LINES
    if rest <= 0:
        return list(lines)
    more = tr_plural("… and {count} more.", "… and {count} more.", rest)
    return [*lines[:_MOST_LINES], more]


def show_folder(folder: Path) -> None:
    """Show a folder in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
