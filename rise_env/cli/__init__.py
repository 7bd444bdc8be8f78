"""Private: the `rise` command and the commands of this package."""
