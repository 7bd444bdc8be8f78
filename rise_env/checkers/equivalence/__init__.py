"""Private: whether two answers are the same."""
