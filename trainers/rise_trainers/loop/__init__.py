"""The outer loop: its settings, phases, checks and forecast."""
