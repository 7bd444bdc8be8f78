"""Wrappers around environments whose observations are conversations."""
