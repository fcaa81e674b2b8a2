"""Voxtral on MLX: Mini and Small 2507 (whole windows) and Mini Realtime 2602 (streaming)."""
