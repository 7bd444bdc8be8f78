"""How long tests wait for what must happen, on any machine."""

PATIENCE_S = 1200.0
"""Seconds after which something that is waited for counts as never happening.

It only bounds a hang. It is long, so that no test fails because other programs use the processor, and shorter
than pytest's own limit of 1800 s, so that the message says what was waited for.
"""
