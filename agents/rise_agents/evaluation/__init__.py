"""Evaluating agents: protocols, best of N with a verifier, and the likelihood of correct answers."""
