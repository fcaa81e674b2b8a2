"""Recordings as they are dragged inside the window."""

import json
from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QMimeData

RECORDINGS = "application/x-undertone-recordings"
SELECTION = "*"  # carried instead of the ids of a long selection: all that is selected in the list


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
