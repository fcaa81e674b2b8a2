"""A process with an overlay, for `test_overlay`: told over standard input what the take does."""

import json
import sys

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtWidgets import QApplication

from app.core.dictation import Outcome, Stage
from app.macos.panel import FakePanels
from app.ui.overlay.overlay import Overlay
from tests.helpers.ui_fakes import World


class Scene(QObject):
    """An overlay over a fake take."""

    def __init__(self) -> None:
        super().__init__()
        self._world = World()
        self._overlay = Overlay(
            self._world.dictation, self._world.bus, FakePanels(), is_wanted=lambda: True
        )
        self._lines = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._lines.activated.connect(self._answer)

    def _answer(self) -> None:
        line = sys.stdin.readline()
        if not line:
            QApplication.exit()
            return
        print(json.dumps(self._do(json.loads(line)["do"])), flush=True)

    def _do(self, word: str) -> object:
        take, pill, buttons = self._world.dictation, self._overlay.pill, self._overlay.buttons
        match word:
            case "record":
                take.tell(Stage.RECORDING)
                take.say("So the first thing", "to say")
            case "cancel":
                take.tell(Stage.IDLE, outcome=Outcome.CANCELLED, can_undo=True)
            case "pill":
                center = pill.mapToGlobal(pill.outline.center().toPoint())
                return [center.x(), center.y(), int(pill.winId())]
            case "button":
                center = buttons.mapToGlobal(buttons.rect().center())
                return [center.x(), center.y(), int(buttons.winId())]
        return take.names()


def main() -> None:
    app = QApplication(["overlay"])
    app.setQuitOnLastWindowClosed(False)
    scene = Scene()
    print("ready", flush=True)
    app.exec()
    del scene


main()
