"""One file a format: each writer takes a document and an open text file."""

from app.export.document import ExportDocument
from app.export.files import safe_name, target_for, write_export
from app.export.formats import FORMATS, Format

__all__ = ["FORMATS", "ExportDocument", "Format", "safe_name", "target_for", "write_export"]
