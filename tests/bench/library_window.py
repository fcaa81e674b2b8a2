"""The real app on a large library: how soon it opens, and how long the window ever stands still.

Run as a program of its own, so that the time to the first picture holds everything from the start
of the interpreter on. It prints one JSON document.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.ui.main import App

_PATIENCE_S = 120.0


class Clock:
    """Ticks in the event loop; the longest time between two ticks is how long it stood still."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(0)
        self.forget()

    def forget(self) -> None:
        self.wall_ms = self.cpu_ms = 0.0
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def _tick(self) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        self.wall_ms = max(self.wall_ms, (wall - self._wall) * 1000)
        self.cpu_ms = max(self.cpu_ms, (cpu - self._cpu) * 1000)
        self._wall, self._cpu = wall, cpu


class Bench:
    """What is done to the window, each with the time to its end and the longest standstill."""

    def __init__(self, app: "App") -> None:
        from PySide6.QtWidgets import QApplication

        self.app = app
        self.parts = app.window.parts
        self.rows = self.parts.library.model
        self.clock = Clock()
        self.done: list[dict[str, Any]] = []
        self._process: Callable[[], None] = QApplication.processEvents

    def wait(self, is_done: Callable[[], bool]) -> None:
        until = time.perf_counter() + _PATIENCE_S
        while not is_done():
            if time.perf_counter() > until:
                raise TimeoutError
            self._process()
        for _ in range(20):  # what comes of it: painting, counts
            self._process()

    def measure(self, name: str, act: Callable[[], object], is_done: Callable[[], bool]) -> None:
        self.wait(self.is_at_rest)
        self.clock.forget()
        began = time.perf_counter()
        act()
        self.wait(is_done)
        took_ms = (time.perf_counter() - began) * 1000
        self.wait(self.is_at_rest)
        self.done.append(
            {
                "name": name,
                "took_ms": took_ms,
                "stood_ms": self.clock.wall_ms,
                "stood_cpu_ms": self.clock.cpu_ms,
            }
        )

    def is_at_rest(self) -> bool:
        return self.rows.is_settled

    def shows(self, text: str) -> Callable[[], bool]:
        return lambda: self.rows.search_text == text and bool(self.rows.is_settled)

    # What is done

    def scroll(self, frames: int) -> dict[str, Any]:
        """Scroll by the wheel and by the handle, to the end and back."""
        view = self.parts.library.list
        bar = view.verticalScrollBar()
        before = resident_mb()
        drawn, worked = [], []
        for step in range(frames):
            began, cpu = time.perf_counter(), time.thread_time()
            jump = step * 7919 * 67 % max(1, bar.maximum())
            bar.setValue(bar.value() + 90 if step % 10 else jump)
            view.viewport().repaint()
            self._process()
            drawn.append((time.perf_counter() - began) * 1000)
            worked.append((time.thread_time() - cpu) * 1000)
        for part in (*range(200), *range(200, -1, -1)):
            bar.setValue(bar.maximum() * part // 200)
            view.viewport().repaint()
        self._process()
        return {
            "frames_ms": drawn,
            "frames_cpu_ms": worked,
            "before_mb": before,
            "after_mb": resident_mb(),
        }

    def search(self, texts: list[str]) -> None:
        field = self.parts.toolbar.search_field
        for text in texts:
            self.measure(f"search “{text}”", lambda text=text: field.search(text), self.shows(text))  # type: ignore[misc]
        self.measure("leave the search", lambda: field.search(""), self.shows(""))

    def order(self) -> None:
        from app.core.recording import RecordingStatus
        from app.library.search import Sort

        filters = self.parts.library.filters
        for name, value in (("", None), ("language", "de"), ("status", RecordingStatus.FAILED)):
            for sort in Sort:

                def act(sort: Sort = sort, name: str = name, value: object = value) -> None:
                    if name:
                        filters.set_filter(name, value, str(value))
                    filters.set_sort(sort)

                is_done = self.shows("")
                self.measure(f"{sort} {name}".strip(), act, is_done)
            filters.clear()
        filters.set_sort(Sort.NEWEST)

    def remove_all(self) -> None:
        view, deeds = self.parts.library.list, self.app.window.deeds
        self.wait(self.is_at_rest)
        total = self.rows.rowCount()
        self.measure("select all", view.selectAll, lambda: True)
        self.measure(
            "select all, move to the bin",
            self.app.window.remove_selected,
            lambda: self.rows.rowCount() == 0 and deeds.latest is not None,
        )
        self.measure("undo that", deeds.undo, lambda: self.rows.rowCount() == total)

    def edit(self) -> None:
        """Change the newest recording, 20,000 words, in many ways; each until it is saved."""
        from app.core import edit
        from app.core.find import Wanted, replace_all

        self.parts.library.select_row(0)
        session, text = self.parts.transcript.editor.session, self.parts.transcript.text
        self.wait(lambda: len(session.segments) == 2_000 == text.document().blockCount())
        for name, make in (
            ("retype one segment", lambda: edit.retext(session.segments, 900, "Quite different")),
            ("split one", lambda: edit.split(session.segments, 1000, 14)),
            ("merge two", lambda: edit.merge(session.segments, 1200)),
            ("replace a word in all", lambda: replace_all(session.segments, Wanted("x5"), "y5")),
            ("replace in every word",
             lambda: replace_all(session.segments, Wanted("word"), "ward")),
            ("shift all", lambda: edit.shift(session.segments, 0, 2_100, 1.0)),
            ("name the speaker of all", lambda: edit.assign(session.segments, 0, 2_100, "Ada")),
            ("delete all", lambda: edit.delete(session.segments, 0, 2_100)),
        ):  # fmt: skip
            for deed, act in (
                (name, lambda make=make: session.do(make())),
                ("… undo", session.undo),
            ):
                self.measure(f"20,000 words: {deed}", act, lambda: session.is_saved)

    def keys(self) -> None:
        view = self.parts.library.list
        total = self.rows.rowCount()

        def is_open() -> bool:
            opened = self.parts.transcript.recording
            at = view.currentIndex().row()
            return opened is not None and opened.recording_id == self.rows.recording_id(at)

        for name, row in (("End", total - 1), ("Home", 0), ("the middle", total // 2)):
            self.measure(
                f"go to {name} and open it",
                lambda row=row: self.parts.library.select_row(row),  # type: ignore[misc]
                is_open,
            )


def resident_mb() -> float:
    """Return what this process has in memory now."""
    file = Path("/proc/self/statm")
    if file.exists():
        return int(file.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(home: Path, began_at: float, deeds: str) -> None:
    from PySide6.QtWidgets import QApplication

    application = QApplication([])
    from app.config.paths import Paths
    from app.ui.collector import calm_collector
    from app.ui.main import App

    calm_collector()
    app = App(Paths(home))
    app.open()
    application.processEvents()
    found: dict[str, Any] = {
        "open_s": time.time() - began_at,
        "open_cpu_s": time.process_time(),
        "rows": app.window.parts.library.model.rowCount(),
    }
    try:
        if deeds == "all":
            found |= everything(Bench(app))
    finally:
        app.close()
    print(json.dumps(found))


def everything(bench: Bench) -> dict[str, Any]:
    """Do all there is to do; return what it took."""
    scroll = bench.scroll(200)
    bench.search(["b", "ba", "the", "the and so", '"the and"', "会", "会議", "the 東京", "zzzz"])
    bench.keys()
    bench.edit()
    bench.order()
    bench.remove_all()
    return {"scroll": scroll, "done": bench.done, "peak_mb": resident_mb()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
