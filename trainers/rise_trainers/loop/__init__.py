"""The loop of RISE: its settings, its phases, the checks before it and the estimates of the dry run."""
