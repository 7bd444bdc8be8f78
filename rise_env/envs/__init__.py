"""The Markov decision process: environments, prompts, feedback, rewards, observation spaces."""
