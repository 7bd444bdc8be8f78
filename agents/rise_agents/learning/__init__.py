"""Learning without weights between episodes, for `rise learn`: settings, plays, reflectors, prompts."""
