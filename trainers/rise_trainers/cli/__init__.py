"""Private: the command `rise mask`."""
