"""The running take in the main window, and what its overlay shows too."""
