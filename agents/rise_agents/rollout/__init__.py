"""Plays episodes and collects trajectories."""
