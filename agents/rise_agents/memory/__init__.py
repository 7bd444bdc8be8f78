"""A memory of reflections that forgets, after SAGE: retention, items, similarity, events, the learner."""
