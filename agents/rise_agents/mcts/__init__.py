"""Monte Carlo tree search inside one reply, after AlphaLLM: options, the tree, critics, settings."""
