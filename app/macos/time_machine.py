"""Keeps what can be fetched again, gigabytes of models, out of the Mac's own backups."""

import sys
from pathlib import Path


def leave_out_of_backups(folder: Path, system: str = sys.platform) -> bool:
    """Mark `folder` for Time Machine; return whether it is marked, which no other system can."""
    if system != "darwin" or not folder.exists():
        return False
    import Foundation

    url = Foundation.NSURL.fileURLWithPath_isDirectory_(str(folder), True)
    key = Foundation.NSURLIsExcludedFromBackupKey
    is_marked, _error = url.setResourceValue_forKey_error_(True, key, None)
    return bool(is_marked)
