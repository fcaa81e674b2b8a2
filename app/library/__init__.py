"""The one place that knows SQLite: everything said, kept and found again."""
