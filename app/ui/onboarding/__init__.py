"""The first start: four steps, each of which can be skipped."""
