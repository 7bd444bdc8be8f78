"""Private: the `rise` command, its settings, and the commands of this package."""
