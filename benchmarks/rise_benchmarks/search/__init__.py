"""Measures searches inside a reply: the rows of the suites embedded-search and alphallm, and their speed."""
