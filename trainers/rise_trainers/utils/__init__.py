"""Private: child processes."""
