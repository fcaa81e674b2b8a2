"""The “other app” of the desktop tests: one text field, driven over standard input."""

import base64
import json
import sys
from typing import Any

from PySide6.QtCore import QMimeData, QSocketNotifier
from PySide6.QtWidgets import QApplication, QPlainTextEdit


class Field(QPlainTextEdit):
    """The text field; counts how often it lost the focus."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setWindowTitle(name)
        self.resize(500, 300)
        self.losses = 0

    def focusOutEvent(self, event: Any) -> None:
        self.losses += 1
        super().focusOutEvent(event)

    def answer(self, request: dict[str, Any]) -> object:
        clipboard = QApplication.clipboard()
        match request["do"]:
            case "text":
                return self.toPlainText()
            case "reset":
                self.setReadOnly(False)
                self.setPlainText("")
                clipboard.clear()
                return True
            case "losses":
                return self.losses
            case "is_active":
                return self.isActiveWindow() and self.hasFocus()
            case "show":
                self.show()
                return int(self.winId())
            case "read_only":
                self.setReadOnly(request["on"])
                return True
            case "own":
                data = QMimeData()
                for kind, value in request["formats"].items():
                    data.setData(kind.replace("__", "/"), base64.b64decode(value))
                clipboard.setMimeData(data)
                return True
            case "disown":
                clipboard.clear()
                return True
            case "clipboard":
                held = clipboard.mimeData()
                return {
                    kind: base64.b64encode(held.data(kind).data()).decode()
                    for kind in held.formats()
                }
        raise ValueError(request)


def main() -> None:
    app = QApplication(["other-app", "-name", sys.argv[1]])
    field = Field(sys.argv[1])
    field.show()
    field.activateWindow()

    def on_line() -> None:
        line = sys.stdin.readline()
        if not line:
            app.quit()
            return
        print(json.dumps(field.answer(json.loads(line))), flush=True)

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(on_line)
    print("ready", flush=True)
    app.exec()


if __name__ == "__main__":
    main()
