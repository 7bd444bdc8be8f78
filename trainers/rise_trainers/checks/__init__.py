"""Checks of a fit that run before its first step: sizes of model and tokenizer, packing of sequences."""
