"""The window that says what is wrong and offers the way out."""
