"""Trajectories to a better agent: select, weigh, tokenise, fit with DeepSpeed, repeat."""
