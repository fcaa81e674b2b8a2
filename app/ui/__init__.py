"""The windows: they render snapshots and turn gestures into calls."""
