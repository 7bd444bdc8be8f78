"""A memory of reflections with a forgetting curve, after SAGE: retention, items, similarity, events, the learner."""
