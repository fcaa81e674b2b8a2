"""One file a format: each writer takes a transcript and an open file."""
