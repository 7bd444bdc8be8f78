"""The self-correction card of a report: what a policy changes from one turn to the next, and gains by it."""
