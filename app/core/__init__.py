"""Values and pure functions: standard library and numpy only, no I/O, no threads."""
