"""The embedded model: weights, tokenizer, chat template, model card, and generator of its training text."""
