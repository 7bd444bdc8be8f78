"""Shared by all packages: seeds, file locks, entry points, settings, suggestions for names, versions."""
