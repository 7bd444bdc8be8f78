"""The embedded model: weights, tokenizer, chat template, card, and the text it was trained on."""
