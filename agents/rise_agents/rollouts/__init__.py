"""Playing episodes and collecting trajectories: `rollout` returns them, `collect` stores them."""
