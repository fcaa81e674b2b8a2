"""One file a format: each writer takes a document and an open text file."""

from app.export.document import ExportDocument, ExportOptions
from app.export.files import name_from, safe_name, target_for, write_export
from app.export.formats import FORMATS, Format

__all__ = [
    "FORMATS",
    "ExportDocument",
    "ExportOptions",
    "Format",
    "name_from",
    "safe_name",
    "target_for",
    "write_export",
]
