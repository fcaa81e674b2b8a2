"""What the system asks to open arrives, early or late, alone or together."""

import json
import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from pytestqt.qtbot import QtBot

from app.core.links import Link, LinkAct
from app.ui.citizen.application import OpenRequests

# The real application object, with real events, in a process of its own.
PROGRAM = """
import json, sys
from PySide6.QtCore import QCoreApplication, QEvent, QTimer, QUrl
from PySide6.QtGui import QFileOpenEvent
from app.ui.citizen.application import UndertoneApplication

app = UndertoneApplication(["undertone"])
heard = {"files": [], "links": [], "asked": 0, "accents": 0}

def change(color):
    palette = app.palette()
    palette.setColor(palette.ColorRole.Highlight, color)
    app.setPalette(palette)

def count():
    heard["accents"] += 1
    change("#ff0000")  # as a window does that takes the new colour on

app.accent_changed.connect(count)
QCoreApplication.sendEvent(app, QFileOpenEvent(QUrl.fromLocalFile("/early.wav")))
app.requests.files_opened.connect(lambda files: heard["files"].append([str(f) for f in files]))
app.requests.link_opened.connect(lambda link: heard["links"].append(link.act))
app.requests.begin()
for name in ("/a.wav", "/b.mp3"):
    QCoreApplication.sendEvent(app, QFileOpenEvent(QUrl.fromLocalFile(name)))
QCoreApplication.sendEvent(app, QFileOpenEvent(QUrl("undertone://stop")))

def refuse():
    heard["asked"] += 1
    return heard["asked"] > 1

app.may_quit = refuse
QTimer.singleShot(50, lambda: change("#ff0000"))
QTimer.singleShot(200, app.quit)
QTimer.singleShot(300, app.quit)
status = app.exec()
print(json.dumps({**heard, "status": status}))
"""


def test_the_real_application_hears_open_events_and_asks_before_it_quits(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    assert heard["files"] == [["/early.wav"], ["/a.wav", "/b.mp3"]]
    assert heard["links"] == ["stop"]
    assert heard["asked"] == 2  # the first wish to quit was refused
    assert heard["accents"] == 1
    assert heard["status"] == 0


def test_nothing_is_told_before_somebody_listens(qtbot: QtBot) -> None:
    requests = OpenRequests()
    opened: list[list[Path]] = []
    links: list[Link] = []
    requests.files_opened.connect(opened.append)
    requests.link_opened.connect(links.append)
    requests.take(QFileOpenEvent(QUrl.fromLocalFile("/tmp/talk.m4a")))
    requests.take(QFileOpenEvent(QUrl("undertone://search?q=river")))
    assert opened == []
    requests.begin()
    assert opened == [[Path("/tmp/talk.m4a")]]
    assert links == [Link(LinkAct.SEARCH, query="river")]


def test_files_opened_together_come_together(qtbot: QtBot) -> None:
    requests = OpenRequests()
    requests.begin()
    with qtbot.waitSignal(requests.files_opened, timeout=5_000) as heard:
        for name in ("a", "b", "c"):
            requests.take(QFileOpenEvent(QUrl.fromLocalFile(f"/tmp/{name}.wav")))
    assert heard.args == [[Path("/tmp/a.wav"), Path("/tmp/b.wav"), Path("/tmp/c.wav")]]


def test_a_link_nobody_understands_is_a_sentence(qtbot: QtBot) -> None:
    requests = OpenRequests()
    requests.begin()
    with qtbot.waitSignal(requests.refused, timeout=5_000) as heard:
        requests.take(QFileOpenEvent(QUrl("undertone://explode")))
    assert heard.args is not None
    assert "explode" in str(heard.args[0])
