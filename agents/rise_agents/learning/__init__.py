"""Learning without weights between episodes, `rise learn`: settings, plays, reflectors; see rules and memory."""
