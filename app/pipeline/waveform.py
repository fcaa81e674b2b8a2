"""The waveform of a recording: the stored one, or made once from its sound and stored.

Stored in the recording's own folder where it has one, else under the library's home: nothing is
ever written beside a file that a person imported from elsewhere.
"""

import contextlib
from pathlib import Path

from app.audio.decode import MediaStream
from app.audio.peaks import PeakBuilder, Peaks, load_peaks
from app.config.paths import Paths, make_private_folder
from app.core.errors import AudioError
from app.core.packing import SAMPLE_RATE
from app.core.recording import Recording

_NAME = "audio.peaks"


def peaks_file(recording: Recording, paths: Paths) -> Path:
    """Return where the waveform of `recording` is kept."""
    own = paths.recordings / recording.recording_id
    if own.is_dir():
        return own / _NAME
    return paths.peaks / f"{recording.recording_id}.peaks"


def load_waveform(recording: Recording, paths: Paths) -> Peaks | None:
    """Return the waveform; `None` when the sound cannot be read. May take seconds.

    Thread: io pool.
    """
    file = peaks_file(recording, paths)
    found = load_peaks(file)
    if found is not None or recording.audio_path is None:
        return found
    builder = PeakBuilder(SAMPLE_RATE)
    try:
        with MediaStream(recording.audio_path) as stream:
            stream.open()
            for block in stream:
                builder.feed(block)
        found = builder.finish()
    except AudioError:
        return None
    with contextlib.suppress(AudioError):  # it is made again the next time
        make_private_folder(file.parent)
        found.save(file)
    return found


def forget_waveform(recording_id: str, paths: Paths) -> None:
    """Delete what was kept of a recording outside its own folder."""
    (paths.peaks / f"{recording_id}.peaks").unlink(missing_ok=True)
    (paths.recordings / recording_id / _NAME).unlink(missing_ok=True)
