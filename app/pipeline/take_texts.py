"""What the recordings' own folders say, for whoever mends or salvages the library."""

from dataclasses import dataclass, field

from app.audio.take_folder import TakeFolder, read_segments, take_folders
from app.config.paths import Paths
from app.core.recording import Recording
from app.core.transcript import Segment
from app.pipeline.recover import recording_of_folder

_HALF = 0.5  # of the texts agree: then it is this take's text


@dataclass(slots=True)
class TakeTexts:
    """The takes' own folders, as `library.mend.Folders` asks for them; read once."""

    paths: Paths
    _texts: dict[str, set[str]] | None = field(default=None)

    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        return read_segments(TakeFolder(self.paths.recordings / recording_id).segments)

    def owner(self, texts: tuple[str, ...], known: frozenset[str]) -> Recording | None:
        if self._texts is None:
            self._texts = {
                folder.take_id: {segment.text for segment in read_segments(folder.segments)}
                for folder in take_folders(self.paths.recordings)
            }
        best, most = "", 0
        for take_id, own in self._texts.items():
            count = sum(text in own for text in texts)
            if take_id not in known and count > most:
                best, most = take_id, count
        if not texts or most < _HALF * len(texts):
            return None
        return recording_of_folder(TakeFolder(self.paths.recordings / best))
