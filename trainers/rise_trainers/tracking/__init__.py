"""Metrics of a run as JSON lines and in W&B or TensorBoard."""
