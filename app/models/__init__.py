"""What could be installed, what is, and how it gets here."""
