"""Measures agents: protocols, best of N, likelihood of right answers."""
