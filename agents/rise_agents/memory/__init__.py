"""A memory of reflections with a forgetting curve (SAGE): retention, items, similarity, events, learner."""
