"""The prompts that the argument `prompt` of environments can name, with the source of each."""
