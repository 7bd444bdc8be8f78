"""The losses: pure functions of logits, targets and weights."""
