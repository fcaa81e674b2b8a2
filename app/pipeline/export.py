"""From a library row and its transcript to what the export writers take."""

from app.core.recording import Recording
from app.core.transcript import Transcript
from app.export import ExportDocument


def document_of(recording: Recording, transcript: Transcript) -> ExportDocument:
    """Return what the writers need to know about one recording."""
    return ExportDocument(
        title=recording.title,
        created_at=recording.created_at,
        duration_s=recording.duration_s,
        transcript=transcript,
    )
