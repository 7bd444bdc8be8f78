"""Private: what agents over HTTP share."""
