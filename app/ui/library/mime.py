"""Recordings as they are dragged: inside the window by name, to other programs as files.

The files are written when somebody asks for them, not when the drag begins: most drags end on a
folder of the sidebar.
"""

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

from PySide6.QtCore import QByteArray, QMetaType, QMimeData, QUrl

from app.core.errors import AppError

RECORDINGS = "application/x-undertone-recordings"
SELECTION = "*"  # carried instead of the ids of a long selection: all that is selected in the list
_URLS = "text/uri-list"
_LONGEST_WAIT_S = 10.0  # whoever dropped something waits for it

# Writes recordings into a folder of their own, elsewhere.
WriteFiles = Callable[[Sequence[str]], "Future[Sequence[Path]]"]
_log = logging.getLogger(__name__)


class DraggedRecordings(QMimeData):
    """Recordings that become files for a program that wants files.

    Only ever given to a drag, never to the clipboard: an object made in Python that is still there
    when Python has ended crashes the process at its exit.
    """

    def __init__(self, ids: Sequence[str], write: WriteFiles) -> None:
        super().__init__()
        self._ids = list(ids)
        self._write = write
        self._files: Sequence[Path] | None = None
        carry(self, ids)

    def formats(self) -> list[str]:
        return [*super().formats(), _URLS]

    def hasFormat(self, name: str) -> bool:
        return name == _URLS or super().hasFormat(name)

    def retrieveData(self, name: str, kind: QMetaType | QMetaType.Type) -> object:
        if name != _URLS:
            return super().retrieveData(name, kind)
        if self._files is None:
            self._files = self._written()
        return [QUrl.fromLocalFile(str(file)) for file in self._files]

    def _written(self) -> Sequence[Path]:
        try:
            return self._write(self._ids).result(_LONGEST_WAIT_S)
        except (AppError, FutureTimeout) as error:  # the writer tells the person why
            _log.warning("nothing to drop: %s", error)
            return ()


def carry(data: QMimeData, ids: Sequence[str]) -> QMimeData:
    """Put recordings into `data` and return it."""
    data.setData(RECORDINGS, QByteArray(json.dumps(list(ids)).encode()))
    return data


def carried(data: QMimeData) -> list[str]:
    """Return the recordings in `data`; empty when there are none."""
    if not data.hasFormat(RECORDINGS):
        return []
    try:
        found = json.loads(bytes(data.data(RECORDINGS).data()))
    except ValueError:
        return []
    return [str(each) for each in found] if isinstance(found, list) else []
