"""One app at a time: a second start hands its files and links to the first and leaves.

The first one listens on a local socket named after its home folder; one left by a killed app is
noticed by nobody answering on it.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.core.links import is_link

_ANSWER_MS = 1000  # how long a living first app may take to take the message


def _name(home: Path) -> str:
    return "undertone-" + hashlib.blake2b(str(home).encode(), digest_size=8).hexdigest()


def hand_over(home: Path, files: Sequence[Path], links: Sequence[str] = ()) -> bool:
    """Give `files` and links to the app that already runs on `home`; `False` when there is none."""
    socket = QLocalSocket()
    socket.connectToServer(_name(home))
    if not socket.waitForConnected(_ANSWER_MS):
        return False
    names = [*(str(file.absolute()) for file in files), *links]
    socket.write(json.dumps(names).encode() + b"\n")
    is_taken = socket.waitForBytesWritten(_ANSWER_MS)
    socket.disconnectFromServer()
    if socket.state() is not QLocalSocket.LocalSocketState.UnconnectedState:
        socket.waitForDisconnected(_ANSWER_MS)
    return is_taken


class FirstStart(QObject):
    """Listens for later starts.

    Signals: `files_handed(list[Path])`, empty when only opened; `links_handed(list[str])`.
    """

    files_handed = Signal(list)
    links_handed = Signal(list)

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        QLocalServer.removeServer(_name(home))
        self._server.listen(_name(home))

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.setParent(self)
        socket.readyRead.connect(self._on_ready)
        socket.disconnected.connect(socket.deleteLater)
        if socket.canReadLine():
            self._take(socket)

    def _on_ready(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket) and socket.canReadLine():
            self._take(socket)

    def _take(self, socket: QLocalSocket) -> None:
        line = bytes(socket.readLine().data())
        try:
            names = json.loads(line)
        except ValueError:
            return
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            links = [name for name in names if is_link(name)]
            if links:
                self.links_handed.emit(links)
            if len(links) < len(names) or not names:
                self.files_handed.emit([Path(name) for name in names if not is_link(name)])
