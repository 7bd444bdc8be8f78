"""Compares sampler, first model and fitted model of a fit: log-probabilities, divergence, entropy."""
