"""Private: processes."""
