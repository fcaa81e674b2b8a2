"""Whisper on MLX: its model, its decoding and its word times.

Decoding is held to openai-whisper token for token (`tests/parity`), and a window's sound is encoded
once.
"""
