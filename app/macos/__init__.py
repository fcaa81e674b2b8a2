"""What the system does for the app: one Protocol a module, with a macOS, X11 and fake form."""
