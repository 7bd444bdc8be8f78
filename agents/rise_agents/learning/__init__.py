"""`rise learn`: learning between episodes without changing weights. It has settings, plays and reflectors."""
