"""Shared by all packages: seeds, file locks, entry points, settings, command lines, suggestions, versions."""
