"""Private: checks in worker processes that are killed when they take too long."""
