"""Private: several replicas of one agent, and their devices."""
