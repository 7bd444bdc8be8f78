"""Turns trajectories into weighted, tokenised training batches."""
