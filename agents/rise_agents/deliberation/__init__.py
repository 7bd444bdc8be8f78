"""Scripts that ask agents: the engine that runs many of them together, and agents whose turn is a script."""
