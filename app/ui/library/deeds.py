"""What a person does to the order of the library, and how it is taken back.

Nothing here asks “are you sure?”: everything is done at once and can be undone, latest first. What
a deed changed is only known when the library has answered, so it can be undone from then on.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.config.translate import tr, tr_plural
from app.core.errors import AppError
from app.ui.ports import Organiser

_MOST = 100  # deeds that can be taken back

Step = Callable[[], "Future[Any]"]


@dataclass(frozen=True, slots=True, eq=False)
class Deed:
    """Something done; `is_told` deeds are worth a banner with Undo."""

    title: str
    back: Step
    again: Callable[[], None]
    is_told: bool = False


class Deeds(QObject):
    """Changes the library through `organiser` and remembers how it was. Thread: main."""

    changed = Signal()  # what undo and redo would do
    done = Signal(object)  # Deed
    failed = Signal(object)  # AppError
    _came = Signal(object, object)  # a finished future and what to do with its result

    def __init__(self, organiser: Organiser | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._organiser = organiser
        self._done: list[Deed] = []
        self._undone: list[Deed] = []
        self._came.connect(self._on_came)

    @property
    def latest(self) -> Deed | None:
        """What undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def next(self) -> Deed | None:
        """What redo would do again."""
        return self._undone[-1] if self._undone else None

    def undo(self) -> None:
        """Take back the latest deed."""
        if self._done:
            deed = self._done.pop()
            self._undone.append(deed)
            self._wait(deed.back(), lambda _result: None)
            self.changed.emit()

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._undone:
            deed = self._undone.pop()
            left = list(self._undone)
            deed.again()
            self._undone = left
            self.changed.emit()

    def remember(self, title: str, back: Step, again: Callable[[], None]) -> Deed:
        """Take in what was done elsewhere, so that it can be taken back like all else."""
        deed = Deed(title, back, again)
        self._undone.clear()
        self._done = [*self._done, deed][-_MOST:]
        self.changed.emit()
        return deed

    # The bin

    def move_to_bin(self, ids: Sequence[str], title: str) -> None:
        """Put recordings into the bin; `title` is the first one's."""
        text = (
            tr("“{title}” is in the bin now.", title=title[:80])
            if len(ids) == 1
            else tr_plural(
                "{count} recording is in the bin now.",
                "{count} recordings are in the bin now.",
                len(ids),
            )
        )
        self._do(
            text,
            lambda writer: writer.move_to_bin(ids),
            lambda writer, moved: (lambda: writer.restore(moved)) if moved else None,
            is_told=True,
        )

    def restore(self, ids: Sequence[str]) -> None:
        """Take recordings out of the bin."""
        self._do(
            tr_plural("{count} recording put back.", "{count} recordings put back.", len(ids)),
            lambda writer: writer.restore(ids),
            lambda writer, moved: (lambda: writer.move_to_bin(moved)) if moved else None,
        )

    # Favourites, folders, tags

    def set_favourite(self, ids: Sequence[str], is_favourite: bool) -> None:
        self._do(
            tr("Favourite") if is_favourite else tr("No longer a favourite"),
            lambda writer: writer.set_favourite(ids, is_favourite),
            lambda writer, changed: (
                (lambda: writer.set_favourite(changed, not is_favourite)) if changed else None
            ),
        )

    def add_folder(self, name: str, ids: Sequence[str] = ()) -> None:
        """Make a folder and put recordings into it."""

        def fill(writer: Organiser, folder: Any) -> Step:
            if ids:
                self.move_to_folder(ids, folder.folder_id, folder.name)
            return lambda: writer.remove_folder(folder.folder_id)

        self._do(
            tr("Folder “{name}” made.", name=name), lambda writer: writer.add_folder(name), fill
        )

    def rename_folder(self, folder_id: str, old: str, name: str) -> None:
        self._do(
            tr("Folder renamed"),
            lambda writer: writer.rename_folder(folder_id, name),
            lambda writer, _done: lambda: writer.rename_folder(folder_id, old),
        )

    def remove_folder(self, folder_id: str, name: str) -> None:
        """Remove a folder; what lies in it stays in the library."""

        def back(writer: Organiser, ids: Any) -> Step:
            def make_again() -> "Future[Any]":
                made = writer.add_folder(name)
                self._wait(made, lambda folder: writer.move_to_folder(ids, folder.folder_id))
                return made

            return make_again

        self._do(
            tr("Folder “{name}” removed. Its recordings are still in the library.", name=name),
            lambda writer: writer.remove_folder(folder_id),
            back,
            is_told=True,
        )

    def move_to_folder(self, ids: Sequence[str], folder_id: str | None, name: str = "") -> None:
        """Put recordings into a folder, or into none."""
        self._do(
            tr("Moved to “{name}”", name=name) if folder_id else tr("Taken out of the folder"),
            lambda writer: writer.move_to_folder(ids, folder_id),
            lambda writer, before: (lambda: _move_back(writer, before)) if before else None,
        )

    def tag(self, ids: Sequence[str], name: str) -> None:
        self._do(
            tr("Tagged “{name}”", name=name),
            lambda writer: writer.tag(ids, name),
            lambda writer, tagged: (lambda: writer.untag(tagged, name)) if tagged else None,
        )

    def untag(self, ids: Sequence[str], name: str) -> None:
        self._do(
            tr("Tag “{name}” taken off", name=name),
            lambda writer: writer.untag(ids, name),
            lambda writer, untagged: (lambda: writer.tag(untagged, name)) if untagged else None,
        )

    def rename_tag(self, old: str, name: str) -> None:
        self._do(
            tr("Tag renamed"),
            lambda writer: writer.rename_tag(old, name),
            lambda writer, _done: lambda: writer.rename_tag(name, old),
        )

    def remove_tag(self, name: str) -> None:
        self._do(
            tr("Tag “{name}” removed.", name=name),
            lambda writer: writer.remove_tag(name),
            lambda writer, ids: lambda: writer.tag(ids, name),
            is_told=True,
        )

    # Words about a recording

    def rename(self, recording_id: str, old: str, title: str) -> None:
        self._change(tr("Renamed"), recording_id, {"title": old}, {"title": title})

    def set_notes(self, recording_id: str, old: str, notes: str) -> None:
        self._change(tr("Notes changed"), recording_id, {"notes": old}, {"notes": notes})

    def _change(
        self, text: str, key: str, old: Mapping[str, object], new: Mapping[str, object]
    ) -> None:
        if old != new:
            self._do(
                text,
                lambda writer: writer.update_recording(key, **new),
                lambda writer, _done: lambda: writer.update_recording(key, **old),
            )

    # How

    def _do(
        self,
        title: str,
        work: Callable[[Organiser], "Future[Any]"],
        back: Callable[[Organiser, Any], Step | None],
        *,
        is_told: bool = False,
    ) -> None:
        writer = self._organiser
        if writer is None:
            return

        def keep(result: Any) -> None:
            step = back(writer, result)
            if step is None:
                return  # it was so already
            deed = Deed(title, step, again, is_told)
            self._done = [*self._done, deed][-_MOST:]
            self.changed.emit()
            self.done.emit(deed)

        def again() -> None:
            self._wait(work(writer), keep)

        self._undone.clear()
        again()

    def _wait(self, future: "Future[Any]", use: Callable[[Any], object]) -> None:
        future.add_done_callback(lambda done: self._tell(done, use))

    def _tell(self, future: "Future[Any]", use: Callable[[Any], object]) -> None:
        """Bring the answer to the main thread. Thread: writer."""
        with contextlib.suppress(RuntimeError):  # the window is gone; the deed is done all the same
            self._came.emit(future, use)

    def _on_came(self, future: "Future[Any]", use: Callable[[Any], object]) -> None:
        error = future.exception()
        if error is None:
            use(future.result())
        elif isinstance(error, AppError):
            self.failed.emit(error)
        else:
            raise error


def _move_back(writer: Organiser, before: Mapping[str, str | None]) -> "Future[Any]":
    """Put recordings back where they lay; the result is that of the last move."""
    places: dict[str | None, list[str]] = {}
    for recording_id, folder_id in before.items():
        places.setdefault(folder_id, []).append(recording_id)
    moves = [writer.move_to_folder(ids, folder_id) for folder_id, ids in places.items()]
    return moves[-1]
