"""Private: decides whether two answers are equal."""
