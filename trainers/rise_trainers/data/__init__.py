"""From trajectories to weighted, tokenised training batches."""
