"""Problem sets: generated, read from files, or fetched from the hub."""
