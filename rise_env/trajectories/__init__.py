"""Stores of trajectories: written, read, exported, imported, merged, checked again."""
