"""One file per thing measured, each beside a peer or the limit."""
