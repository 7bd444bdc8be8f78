"""Problem sets: generated, from files, from the hub."""
