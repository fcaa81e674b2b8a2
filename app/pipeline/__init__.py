"""What the app does, composed from the capabilities; no Qt here."""
