"""The app as a citizen of its system: opening, Dock, notifications, staying awake, quitting."""
