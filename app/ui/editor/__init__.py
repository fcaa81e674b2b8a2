"""Listening to a transcript and working on it."""
