"""Private: the commands `rise collect` and `rise evaluate`."""
