"""What the Mac itself does for the app: one Protocol a module, with a macOS, an X11 and a fake form."""
