"""Measures searches inside a reply: the rows of the suite embedded-search, and the speed of many trees."""
