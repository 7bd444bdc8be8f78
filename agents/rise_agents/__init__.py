"""Who answers, and how episodes are played: agents, rollouts, collection, evaluation."""
