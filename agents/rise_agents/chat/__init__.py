"""How conversations become token ids, and sampled tokens become replies with their reasoning."""
