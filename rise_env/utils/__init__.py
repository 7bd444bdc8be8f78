"""Private: random seeds, file locks, suggestions for misspelt names, versions."""
