"""Private: finds answers that only repeat the question, or that leave its work undone."""
