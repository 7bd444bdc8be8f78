"""How good, how fast, and beside whom: suites, reports, figures, speed measurements."""
