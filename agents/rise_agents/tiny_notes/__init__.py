"""The embedded model that reads notes: weights, tokenizer, model card, and generator of its training text."""
