"""The sidebar and the list of recordings."""
