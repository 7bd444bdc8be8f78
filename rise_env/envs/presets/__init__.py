"""Prompts by name: what the argument `prompt` of environments can name, with the source of each."""
