"""Undertone: private, on-device dictation and transcription. Holds the version, nothing else."""

__version__ = "0.1.0"
