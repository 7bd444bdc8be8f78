"""Stores of trajectories: reading and writing them, export, import, merging, and checking replies again."""
